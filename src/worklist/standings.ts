/** Work that the projection shows: parked steps, missing notices, identities disabled by hand, warnings. */
import type pg from 'pg';
import type { Standing } from '../domain/standing.js';
import { type WorkItem, type WorkKind, wayOutOfWork } from './rules.js';
import type { WorkQuery, WorkSource } from './source.js';

export const uuidKey = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which rows of `standing` a source reads; parameters from `$1` on. */
export interface Selection {
  readonly where: string;
  readonly values: readonly unknown[];
}

/** A source with one item per row of `standing`, in the order of identities. */
export function standingSource(
  kind: WorkKind,
  select: (query: WorkQuery) => Selection,
  itemOf: (standing: Standing) => Omit<WorkItem, 'kind' | 'identityId'>,
): WorkSource {
  return {
    kind,
    keyPattern: uuidKey,
    async count(pool, query) {
      const { where, values } = select(query);
      const found = await pool.query<{ count: string }>(`SELECT count(*) FROM standing WHERE ${where}`, [
        ...values,
      ]);
      return Number(found.rows[0]?.count ?? 0);
    },
    async page(pool, query, after, rows) {
      const standings = await readStandings(pool, select(query), after, rows);
      return standings.map((standing) => {
        const { identityId } = standing;
        return { key: identityId, item: { kind, identityId, ...itemOf(standing) } };
      });
    },
  };
}

/** @returns one page of the selected standings, in the order of identities */
export async function readStandings(
  pool: pg.Pool,
  { where, values }: Selection,
  after: string | undefined,
  rows: number,
): Promise<Standing[]> {
  const [afterAt, rowsAt] = [values.length + 1, values.length + 2];
  const found = await pool.query<{ document: Standing }>(
    `SELECT document FROM standing WHERE ${where} AND ($${afterAt}::uuid IS NULL OR identity_id > $${afterAt})
     ORDER BY identity_id LIMIT $${rowsAt}`,
    [...values, after ?? null, rows],
  );
  return found.rows.map(({ document }) => document);
}

const blockedBy = (by: 'parked' | 'no-notice' | 'missing') => (): Selection => ({
  where: `blocked_by = '${by}'`,
  values: [],
});

const sinceOf = (since: number | undefined) => (since === undefined ? {} : { since });

export const parkedSource = standingSource('parked', blockedBy('parked'), ({ parked }) => ({
  subject: parked?.step ?? 'unknown',
  why: `${parked?.step ?? 'a step'} failed for good (${parked?.errorType ?? 'Unexpected'})`,
  wayOut: parked?.wayOut ?? wayOutOfWork('parked'),
  ...sinceOf(parked?.since),
}));

export const noNoticeSource = standingSource(
  'no-notice',
  blockedBy('no-notice'),
  ({ next, blocked, notices }) => {
    const failed = notices.findLast(({ rung, at }) => rung === next?.rung && at === blocked?.since);
    const outcome = failed === undefined ? '' : ` (${failed.outcome})`;
    return {
      subject: next?.rung ?? 'unknown',
      why: `${blocked?.why ?? 'no notice could be delivered'}${outcome}`,
      wayOut: wayOutOfWork('no-notice'),
      ...sinceOf(blocked?.since),
    };
  },
);

export const missingSource = standingSource('missing', blockedBy('missing'), ({ stage, blocked, next }) => ({
  subject: stage,
  why: blocked?.why ?? 'Kratos does not know it any more',
  wayOut: wayOutOfWork('missing'),
  ...sinceOf(blocked?.since),
  ...(next?.rung === 'bury' ? { dueAt: next.at } : {}),
}));

export const skippedSource = standingSource(
  'deletion-skipped',
  () => ({ where: "document #> '{skipped,delete}' IS NOT NULL", values: [] }),
  ({ stage, skipped }) => ({
    subject: stage,
    why: 'an operator decided that it is not to be deleted in this absence; it stays as it is',
    wayOut: wayOutOfWork('deletion-skipped'),
    ...sinceOf(skipped?.delete),
  }),
);

export const disabledSource = standingSource(
  'disabled-by-admin',
  // Older standings did not record since when. They count from their last update.
  ({ now, disabledForMs }) => ({
    where: `blocked_by = 'disabled-by-admin'
      AND coalesce((document #>> '{blocked,since}')::bigint, revision) <= $1`,
    values: [now - disabledForMs],
  }),
  ({ stage, blocked }) => ({
    subject: stage,
    why: blocked?.why ?? 'disabled by hand in Kratos',
    wayOut: wayOutOfWork('disabled-by-admin'),
    ...sinceOf(blocked?.since),
  }),
);

export const warningSource = standingSource(
  'warning',
  () => ({ where: "jsonb_array_length(document -> 'warnings') > 0", values: [] }),
  ({ warnings }) => ({
    subject: warnings[0] ?? 'unknown',
    why: warnings.join(', '),
    wayOut: wayOutOfWork('warning'),
  }),
);
