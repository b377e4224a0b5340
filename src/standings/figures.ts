/** Figures over all standings, for metrics. Two bounded statements, whatever the labels are. */
import type pg from 'pg';

export interface StandingFigures {
  /** Identities that have a lifecycle, by stage and by what keeps the ladder from moving (`none`: nothing). */
  readonly groups: readonly { readonly stage: string; readonly blockedBy: string; readonly count: number }[];
  /** Parked steps by type of error. */
  readonly parked: readonly { readonly errorType: string; readonly count: number }[];
  /** Identities whose next step is due and was not taken, though nothing is in its way. */
  readonly overdue: number;
  /** The due instant of the longest overdue one, epoch milliseconds. */
  readonly overdueSince: number | undefined;
}

/** @param now epoch milliseconds */
export async function readStandingFigures(pool: pg.Pool, now: number): Promise<StandingFigures> {
  const groups = await pool.query<{ stage: string; blocked_by: string; count: string }>(
    `SELECT stage, coalesce(blocked_by, 'none') AS blocked_by, count(*) FROM standing
     WHERE stage <> 'deleted' AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = standing.identity_id)
     GROUP BY 1, 2`,
  );
  const parked = await pool.query<{ error_type: string | null; count: string }>(
    `SELECT document #>> '{parked,errorType}' AS error_type, count(*) FROM standing
     WHERE blocked_by = 'parked' GROUP BY 1`,
  );
  const overdue = await pool.query<{ count: string; since: Date | null }>(
    `SELECT count(*), min(next_at) AS since FROM standing
     WHERE next_at < $1 AND blocked_by IS NULL AND stage <> 'deleted'
       AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = standing.identity_id)`,
    [new Date(now)],
  );
  const [late] = overdue.rows;
  return {
    groups: groups.rows.map(({ stage, blocked_by, count }) => ({
      stage,
      blockedBy: blocked_by,
      count: Number(count),
    })),
    parked: parked.rows.map(({ error_type, count }) => ({
      errorType: error_type ?? 'Unexpected',
      count: Number(count),
    })),
    overdue: Number(late?.count ?? 0),
    overdueSince: late?.since?.getTime(),
  };
}
