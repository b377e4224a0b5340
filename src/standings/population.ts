/** The population as operators see it: what comes within the next days, and pages of people. Bounded statements over `standing`. */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';

/** Buried identities keep their row as history. */
const isThere = `stage <> 'deleted'
  AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = standing.identity_id)`;

/** How many days {@link readComing} counts. */
export const comingDays = 7;

export interface ComingCount {
  /** In UTC, as `2026-11-27`. What is overdue counts for the first day. */
  readonly day: string;
  /** `warn`, `notice:revoke` and so on. */
  readonly step: string;
  readonly count: number;
}

/** @returns the days, the first one today. @param now epoch milliseconds */
export function daysFrom(now: number): string[] {
  return Array.from({ length: comingDays }, (_, index) => dayOf(now + index * dayMs));
}

/** The day in UTC, as `2026-11-27`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** What falls due within a week, where nothing is in the way and nobody comes back. @param now epoch milliseconds */
export async function readComing(pool: pg.Pool, now: number): Promise<ComingCount[]> {
  const today = Date.parse(dayOf(now));
  const found = await pool.query<{ day: string; step: string; count: string }>(
    `SELECT to_char(greatest(next_at, $1) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, next_step AS step, count(*)
     FROM standing WHERE next_at < $2 AND blocked_by IS NULL AND ${isThere} GROUP BY 1, 2 ORDER BY 1, 2`,
    [new Date(today), new Date(today + comingDays * dayMs)],
  );
  return found.rows.map(({ count, ...row }) => ({ ...row, count: Number(count) }));
}

export interface PeopleQuery {
  readonly stage?: string;
  /** What is in the way; `none`: nothing. */
  readonly blockedBy?: string;
  readonly step?: string;
  /** Only those whose next step falls on this day in UTC, as `2026-11-27`. */
  readonly day?: string;
  /** Only identities after this one. */
  readonly after?: string;
  readonly rows: number;
  /** Epoch milliseconds: on today's page stands what is overdue as well. */
  readonly now: number;
}

export interface ListedPerson {
  readonly identityId: string;
  readonly stage: string;
  /** Times in epoch milliseconds. */
  readonly since: number;
  readonly lastActiveAt: number;
  readonly nextStep: string | undefined;
  readonly nextAt: number | undefined;
  readonly blockedBy: string | undefined;
  readonly policy: string | undefined;
}

/** @returns one page of people, in the order of their identities */
export async function listPeople(pool: pg.Pool, query: PeopleQuery): Promise<ListedPerson[]> {
  const { stage, blockedBy, step, day, after, rows, now } = query;
  const from = day === undefined || day === dayOf(now) ? undefined : new Date(Date.parse(day));
  const to = day === undefined ? undefined : new Date(Date.parse(day) + dayMs);
  const found = await pool.query<{
    identity_id: string;
    stage: string;
    stage_since: Date;
    last_active_at: Date;
    next_step: string | null;
    next_at: Date | null;
    blocked_by: string | null;
    policy_id: string | null;
    policy_version: number | null;
  }>(
    `SELECT identity_id, stage, stage_since, last_active_at, next_step, next_at, blocked_by, policy_id, policy_version
     FROM standing
     WHERE ${isThere} AND ($1::text IS NULL OR stage = $1)
       AND ($2::text IS NULL OR coalesce(blocked_by, 'none') = $2)
       AND ($3::text IS NULL OR next_step = $3)
       AND ($4::timestamptz IS NULL OR next_at >= $4) AND ($5::timestamptz IS NULL OR next_at < $5)
       AND ($6::uuid IS NULL OR identity_id > $6)
     ORDER BY identity_id LIMIT $7`,
    [stage ?? null, blockedBy ?? null, step ?? null, from ?? null, to ?? null, after ?? null, rows],
  );
  return found.rows.map((row) => ({
    identityId: row.identity_id,
    stage: row.stage,
    since: row.stage_since.getTime(),
    lastActiveAt: row.last_active_at.getTime(),
    nextStep: row.next_step ?? undefined,
    nextAt: row.next_at?.getTime(),
    blockedBy: row.blocked_by ?? undefined,
    policy: row.policy_id === null ? undefined : `${row.policy_id}@${row.policy_version}`,
  }));
}
