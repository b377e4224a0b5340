/** The audit log from one time to another, page by page, for exports. */
import type pg from 'pg';
import { type AuditRow, auditColumns, auditRowOf } from './log-table.js';

/** Times are epoch milliseconds; `from` is included, `to` is not. */
export interface AuditSelection {
  readonly from?: number;
  readonly to?: number;
  readonly eventTypes?: readonly string[];
}

export interface ChainedAuditRow extends AuditRow {
  readonly eventId: string;
  readonly policyHash: string | null;
  readonly previousHash: string;
  readonly hash: string;
}

/** In the order of the log. Holds one page in memory. */
export async function* streamAudit(
  pool: pg.Pool,
  selection: AuditSelection,
  pageSize = 500,
): AsyncGenerator<ChainedAuditRow, void, undefined> {
  const { from, to, eventTypes } = selection;
  let after = 0;
  for (;;) {
    const page = await pool.query(
      `SELECT ${auditColumns}, event_id, previous_hash, hash, canonical::jsonb ->> 8 AS policy_hash FROM audit
       WHERE seq > $1 AND ($2::timestamptz IS NULL OR occurred_at >= $2)
         AND ($3::timestamptz IS NULL OR occurred_at < $3) AND ($4::text[] IS NULL OR event_type = ANY($4))
       ORDER BY seq LIMIT $5`,
      [after, dateOf(from), dateOf(to), eventTypes ?? null, pageSize],
    );
    for (const row of page.rows) {
      yield {
        ...auditRowOf(row),
        eventId: row.event_id,
        policyHash: row.policy_hash,
        previousHash: row.previous_hash,
        hash: row.hash,
      };
    }
    const last = page.rows.at(-1);
    if (last === undefined) return;
    after = Number(last.seq);
  }
}

function dateOf(at: number | undefined): Date | null {
  return at === undefined ? null : new Date(at);
}
