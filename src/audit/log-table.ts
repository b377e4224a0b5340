/**
 * Table `audit`: append-only and hash-chained (docs/architecture.md, invariant 9). The database computes
 * place, hash and columns of a row (`audit_append`), so that a process that may append can't choose them.
 */
import type pg from 'pg';
import type { AuditEntry } from '../domain/audit-entry.js';
import { storable } from '../domain/free-text.js';
import { inTransaction } from '../postgres/pool.js';
import { entryText } from './chain.js';

/** An entry with its row. */
export interface AppendedEntry {
  readonly seq: number;
  readonly entry: AuditEntry;
}

/**
 * Appends the entries that are not in the log yet.
 * @param alongside receives the new entries, and writes more in the same transaction
 * @returns how many were new
 */
export async function appendAudit(
  pool: pg.Pool,
  entries: readonly AuditEntry[],
  alongside?: (client: pg.PoolClient, appended: readonly AppendedEntry[]) => Promise<void>,
): Promise<number> {
  if (entries.length === 0) return 0;
  return inTransaction(pool, async (client) => {
    const appended = await appendAuditWithin(client, entries);
    await alongside?.(client, appended);
    return appended.length;
  });
}

/**
 * The same as part of a transaction, so that a decision and its entry are written together or not at all. To
 * be called last in the transaction.
 * @returns the new entries
 */
export async function appendAuditWithin(
  client: pg.PoolClient,
  entries: readonly AuditEntry[],
): Promise<AppendedEntry[]> {
  // guard: records: text of before the rule is recorded with replacements
  const stored = entries.map(storable);
  const { rows } = await client.query<{ nth: number; row_seq: string }>('SELECT * FROM audit_append($1)', [
    stored.map(entryText),
  ]);
  return rows.flatMap(({ nth, row_seq }) => {
    const entry = stored[nth - 1];
    return entry === undefined ? [] : [{ seq: Number(row_seq), entry }];
  });
}

/** @returns the hash of one row; `undefined` where it is missing */
export async function readHashAt(pool: pg.Pool, seq: number): Promise<string | undefined> {
  const found = await pool.query<{ hash: string }>('SELECT hash FROM audit WHERE seq = $1', [seq]);
  return found.rows[0]?.hash;
}

/** @returns when one row's event happened, epoch milliseconds; `undefined` where the row is missing */
export async function readOccurredAt(pool: pg.Pool, seq: number): Promise<number | undefined> {
  const found = await pool.query<{ occurred_at: Date }>('SELECT occurred_at FROM audit WHERE seq = $1', [
    seq,
  ]);
  return found.rows[0]?.occurred_at.getTime();
}

export interface AuditRow {
  readonly seq: number;
  readonly eventType: string;
  readonly target: string;
  readonly actor: string;
  readonly occurredAt: number;
  readonly policyId: string | null;
  readonly policyVersion: number | null;
  readonly stage: string;
  readonly daysInactive: number;
  readonly outcome: string;
  readonly detail: Record<string, unknown>;
}

export const auditColumns =
  'seq, event_type, target, actor, occurred_at, policy_id, policy_version, stage, days_inactive, outcome, detail';

/** @returns every entry about one identity, in order */
export async function readAudit(pool: pg.Pool, target: string): Promise<AuditRow[]> {
  const found = await pool.query(`SELECT ${auditColumns} FROM audit WHERE target = $1 ORDER BY seq`, [
    target,
  ]);
  return found.rows.map(auditRowOf);
}

/**
 * One page of the entries about one identity, the latest first.
 * @param before only entries before this place. Absent: the first page
 */
export async function readAuditPage(
  pool: pg.Pool,
  target: string,
  { before, rows }: { readonly before?: number; readonly rows: number },
): Promise<AuditRow[]> {
  const found = await pool.query(
    `SELECT ${auditColumns} FROM audit WHERE target = $1 AND ($2::bigint IS NULL OR seq < $2)
     ORDER BY seq DESC LIMIT $3`,
    [target, before ?? null, rows],
  );
  return found.rows.map(auditRowOf);
}

/** @param row with {@link auditColumns} */
export function auditRowOf(row: pg.QueryResultRow): AuditRow {
  return {
    seq: Number(row.seq),
    eventType: row.event_type,
    target: row.target,
    actor: row.actor,
    occurredAt: row.occurred_at.getTime(),
    policyId: row.policy_id,
    policyVersion: row.policy_version,
    stage: row.stage,
    daysInactive: row.days_inactive,
    outcome: row.outcome,
    detail: row.detail,
  };
}

/** @returns the date that the last warning of each identity named, epoch milliseconds; those without one are left out */
export async function readWarnedDates(
  pool: pg.Pool,
  identityIds: readonly string[],
): Promise<Map<string, number>> {
  const found = await pool.query<{ target: string; announced_at: string | null }>(
    `SELECT DISTINCT ON (target) target, detail->>'announcedAt' AS announced_at FROM audit
     WHERE target = ANY($1) AND event_type = 'inactivity_warned' ORDER BY target, seq DESC`,
    [identityIds],
  );
  return new Map(
    found.rows.flatMap(({ target, announced_at }) =>
      announced_at === null ? [] : [[target, Number(announced_at)] as const],
    ),
  );
}
