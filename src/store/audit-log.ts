/** Table `audit`: append-only and hash-chained (design, invariant 9). */
import type pg from 'pg';
import type { AuditEntry } from '../domain/audit-entry.js';
import { storable } from '../domain/free-text.js';
import { type ChainHead, canonicalText, chainHash, genesis } from './audit-chain.js';
import { inTransaction } from './pool.js';

/** Names the lock under which rows are appended, one transaction at a time. */
const chainLock = 'dormouse/audit';

/** An entry with the row that it became. */
export interface AppendedEntry {
  readonly seq: number;
  readonly entry: AuditEntry;
}

/**
 * Appends the entries that are not there yet.
 * @param alongside what is written in the same transaction, of the new ones
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
 * The same as part of a transaction, so that a decision and its entry stand or fall together. To be called last in it.
 * @returns the new ones
 */
export async function appendAuditWithin(
  client: pg.PoolClient,
  entries: readonly AuditEntry[],
): Promise<AppendedEntry[]> {
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [chainLock]);
  const known = await client.query<{ event_id: string }>(
    'SELECT event_id FROM audit WHERE event_id = ANY($1)',
    [entries.map(({ eventId }) => storable(eventId))],
  );
  const written = new Set(known.rows.map((row) => row.event_id));
  let { seq, hash } = await readChainHead(client);
  const appended: AppendedEntry[] = [];
  for (const entry of entries.map(storable)) {
    if (written.has(entry.eventId)) continue;
    written.add(entry.eventId);
    seq += 1;
    const canonical = canonicalText(seq, entry);
    const previousHash = hash;
    hash = chainHash(previousHash, canonical);
    await insertRow(client, { seq, entry, canonical, previousHash, hash });
    appended.push({ seq, entry });
  }
  return appended;
}

/** @returns the last row's place; `seq` 0 where there is none */
async function readChainHead(client: pg.PoolClient): Promise<ChainHead> {
  const head = await client.query<{ seq: string; hash: string }>(
    'SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1',
  );
  const row = head.rows[0];
  return row === undefined ? { seq: 0, hash: genesis } : { seq: Number(row.seq), hash: row.hash };
}

/** @returns the hash of one row; `undefined` where it is missing */
export async function readHashAt(pool: pg.Pool, seq: number): Promise<string | undefined> {
  const found = await pool.query<{ hash: string }>('SELECT hash FROM audit WHERE seq = $1', [seq]);
  return found.rows[0]?.hash;
}

interface ChainedRow {
  readonly seq: number;
  readonly entry: AuditEntry;
  readonly canonical: string;
  readonly previousHash: string;
  readonly hash: string;
}

async function insertRow(client: pg.PoolClient, { seq, entry, canonical, previousHash, hash }: ChainedRow) {
  await client.query(
    `INSERT INTO audit (seq, event_id, event_type, target, actor, occurred_at, policy_id, policy_version, stage,
       days_inactive, outcome, detail, canonical, previous_hash, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      seq,
      entry.eventId,
      entry.eventType,
      entry.target,
      entry.actor,
      new Date(entry.occurredAt),
      entry.policy?.id ?? null,
      entry.policy?.version ?? null,
      entry.stage,
      entry.daysInactive,
      entry.outcome,
      JSON.stringify(entry.detail ?? {}),
      canonical,
      previousHash,
      hash,
    ],
  );
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

/** @returns everything that was done to one identity, in order */
export async function readAudit(pool: pg.Pool, target: string): Promise<AuditRow[]> {
  const found = await pool.query(`SELECT ${auditColumns} FROM audit WHERE target = $1 ORDER BY seq`, [
    target,
  ]);
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
