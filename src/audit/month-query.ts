/** What happened to people in one month, from the table `audit`: counts of people, never of repeated attempts. */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import type { Month } from './month.js';

export const monthFigures = [
  'revoked',
  'revoked_ladder',
  'revoked_refresh',
  'revoked_personal',
  'warned',
  'suspended',
  'deactivated',
  'deleted',
  'returned',
] as const;
export type MonthFigure = (typeof monthFigures)[number];
export type Figures = Readonly<Record<MonthFigure, number>>;

/** A person's own doing. An exemption, another policy or an operator brings nobody back. */
const cameBack = `((event_type = 'returned' AND outcome = 'activity')
  OR (event_type = 'account_reactivated' AND outcome = 'self-service'))`;

const conditions: Readonly<Record<MonthFigure, string>> = {
  revoked: "event_type = 'tokens_revoked_stale'",
  revoked_ladder: "event_type = 'tokens_revoked_stale' AND coalesce(detail->>'type', 'ladder') = 'ladder'",
  revoked_refresh: "event_type = 'tokens_revoked_stale' AND detail->>'type' = 'refresh'",
  revoked_personal: "event_type = 'tokens_revoked_stale' AND detail->>'type' = 'personal'",
  warned: "event_type = 'inactivity_warned' AND outcome = 'accepted'",
  suspended: "event_type = 'actions_suspended'",
  deactivated: "event_type = 'account_deactivated'",
  deleted: "event_type IN ('account_deleted', 'account_anonymised')",
  returned: cameBack,
};

const counts = monthFigures.map(
  (figure) => `count(DISTINCT target) FILTER (WHERE ${conditions[figure]})::int AS ${figure}`,
);

/**
 * @param unit of what the figures are: each month, or each day
 * @returns for each month or day (as `2026-10`, `2026-10-31`) with any event, how many different people each figure is about
 */
export async function countPeople(
  pool: pg.Pool,
  { from, to }: Month,
  unit: 'month' | 'day',
): Promise<Map<string, Figures>> {
  const form = unit === 'month' ? 'YYYY-MM' : 'YYYY-MM-DD';
  const found = await pool.query<Record<MonthFigure, number> & { period: string }>(
    `SELECT to_char(occurred_at AT TIME ZONE 'UTC', '${form}') AS period, ${counts.join(', ')}
     FROM audit WHERE occurred_at >= $1 AND occurred_at < $2 GROUP BY 1`,
    [new Date(from), new Date(to)],
  );
  return new Map(found.rows.map(({ period, ...figures }) => [period, figures]));
}

export const noFigures = Object.fromEntries(monthFigures.map((figure) => [figure, 0])) as Figures;

/** People who lost unused tokens in one table of an app. */
export interface SourceEnds {
  /** Its name in the file of sources. */
  readonly source: string;
  readonly people: number;
}

/** @returns by source, in the order of their names; people are counted in `revoked_personal` as well */
export async function countBySource(pool: pg.Pool, { from, to }: Month): Promise<SourceEnds[]> {
  const { rows } = await pool.query<SourceEnds>(
    `SELECT detail->>'source' AS source, count(DISTINCT target)::int AS people FROM audit
     WHERE occurred_at >= $1 AND occurred_at < $2 AND event_type = 'tokens_revoked_stale' AND detail->>'source' IS NOT NULL
     GROUP BY 1 ORDER BY 1`,
    [new Date(from), new Date(to)],
  );
  return rows;
}

export interface NoticeEffect {
  /** `warn`, or the rung that the notice announced. */
  readonly notice: string;
  /** Notices that a mail server accepted in the month. */
  readonly sent: number;
  /** Those after which the person came back within {@link creditDays}, and before another notice was given. */
  readonly returned: number;
  /** Half of those came back within this time, and nine of ten within the other. Milliseconds; `null` where nobody did. */
  readonly medianMs: number | null;
  readonly ninetiethMs: number | null;
}

/** A return counts for a notice that was given so many days before at most: a month's figures end to change that long after it. */
export const creditDays = 30;

/** Whether notices work. A return counts for the last notice before it, also where it came after the month. */
export async function readNoticeEffects(pool: pg.Pool, { from, to }: Month): Promise<NoticeEffect[]> {
  const found = await pool.query<{
    notice: string;
    sent: number;
    returned: number;
    median: number | null;
    ninetieth: number | null;
  }>(
    `WITH course AS (
       SELECT event_type, detail->>'rung' AS rung, occurred_at,
         lead(event_type) OVER person AS next_type, lead(occurred_at) OVER person AS next_at
       FROM audit
       WHERE occurred_at >= $1 AND occurred_at < $3
         AND (${cameBack} OR (event_type IN ('inactivity_warned', 'notice_sent') AND outcome = 'accepted'))
       WINDOW person AS (PARTITION BY target ORDER BY occurred_at, seq)
     ), notice AS (
       SELECT CASE event_type WHEN 'inactivity_warned' THEN 'warn' ELSE coalesce(rung, 'unknown') END AS notice,
         CASE WHEN next_type IN ('returned', 'account_reactivated') AND next_at < occurred_at + $4 * interval '1 millisecond'
           THEN extract(epoch FROM next_at - occurred_at) * 1000 END AS back_after
       FROM course WHERE event_type IN ('inactivity_warned', 'notice_sent') AND occurred_at < $2
     )
     SELECT notice, count(*)::int AS sent, count(back_after)::int AS returned,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY back_after))::double precision AS median,
       (percentile_cont(0.9) WITHIN GROUP (ORDER BY back_after))::double precision AS ninetieth
     FROM notice GROUP BY 1 ORDER BY 1`,
    [new Date(from), new Date(to), new Date(to + creditDays * dayMs), creditDays * dayMs],
  );
  return found.rows.map(({ median, ninetieth, ...row }) => ({
    ...row,
    medianMs: median,
    ninetiethMs: ninetieth,
  }));
}
