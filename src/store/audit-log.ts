/** Table `audit`: append-only and hash-chained (design, invariant 9). */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { AuditEntry } from '../domain/audit-entry.js';
import { inTransaction } from './pool.js';

/** The hash before the first row. */
const genesis = '0'.repeat(64);
/** Names the lock under which rows are appended, one transaction at a time. */
const chainLock = 'dormouse/audit';

/** The text that is hashed: fields in a fixed order, so that the same entry always gives the same text. */
export function canonicalText(seq: number, entry: AuditEntry): string {
  const detail = Object.fromEntries(Object.entries(entry.detail ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([
    seq,
    entry.eventId,
    entry.eventType,
    entry.target,
    entry.actor,
    entry.occurredAt,
    entry.policy?.id ?? null,
    entry.policy?.version ?? null,
    entry.policy?.hash ?? null,
    entry.stage,
    entry.daysInactive,
    entry.outcome,
    detail,
  ]);
}

export function chainHash(previousHash: string, canonical: string): string {
  return createHash('sha256').update(previousHash).update('\n').update(canonical).digest('hex');
}

/** Appends the entries that are not there yet. @returns how many were new */
export async function appendAudit(pool: pg.Pool, entries: readonly AuditEntry[]): Promise<number> {
  if (entries.length === 0) return 0;
  return inTransaction(pool, (client) => appendAuditWithin(client, entries));
}

/** The same as part of a transaction, so that a decision and its entry stand or fall together. To be called last in it. */
export async function appendAuditWithin(
  client: pg.PoolClient,
  entries: readonly AuditEntry[],
): Promise<number> {
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [chainLock]);
  const known = await client.query<{ event_id: string }>(
    'SELECT event_id FROM audit WHERE event_id = ANY($1)',
    [entries.map(({ eventId }) => eventId)],
  );
  const written = new Set(known.rows.map((row) => row.event_id));
  let { seq, hash } = await chainHead(client);
  let added = 0;
  for (const entry of entries) {
    if (written.has(entry.eventId)) continue;
    written.add(entry.eventId);
    seq += 1;
    const canonical = canonicalText(seq, entry);
    const previousHash = hash;
    hash = chainHash(previousHash, canonical);
    await insertRow(client, { seq, entry, canonical, previousHash, hash });
    added += 1;
  }
  return added;
}

async function chainHead(client: pg.PoolClient): Promise<{ seq: number; hash: string }> {
  const head = await client.query<{ seq: string; hash: string }>(
    'SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1',
  );
  const row = head.rows[0];
  return row === undefined ? { seq: 0, hash: genesis } : { seq: Number(row.seq), hash: row.hash };
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

/** @returns everything that was done to one identity, in order */
export async function readAudit(pool: pg.Pool, target: string): Promise<AuditRow[]> {
  const found = await pool.query(
    `SELECT seq, event_type, target, actor, occurred_at, policy_id, policy_version, stage, days_inactive, outcome, detail
     FROM audit WHERE target = $1 ORDER BY seq`,
    [target],
  );
  return found.rows.map((row) => ({
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
  }));
}

export interface ChainVerdict {
  readonly rows: number;
  /** The first row whose content, hash or place does not fit; absent when the chain is whole. */
  readonly brokenAt?: number;
}

/** Computes the chain again from the start, row by row. */
export async function verifyAudit(pool: pg.Pool, pageSize = 1_000): Promise<ChainVerdict> {
  let expectedSeq = 0;
  let hash = genesis;
  for (;;) {
    const page = await pool.query(
      'SELECT *, (extract(epoch FROM occurred_at) * 1000)::bigint AS occurred_ms FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2',
      [expectedSeq, pageSize],
    );
    if (page.rows.length === 0) return { rows: expectedSeq };
    for (const row of page.rows) {
      expectedSeq += 1;
      const stated = parseStated(row.canonical);
      const columns = [
        Number(row.seq),
        row.event_id,
        row.event_type,
        row.target,
        row.actor,
        Number(row.occurred_ms),
        row.policy_id,
        row.policy_version,
        stated[8],
        row.stage,
        row.days_inactive,
        row.outcome,
        row.detail,
      ];
      const sound =
        Number(row.seq) === expectedSeq &&
        row.previous_hash === hash &&
        row.hash === chainHash(hash, row.canonical) &&
        sameContent(columns, stated);
      if (!sound) return { rows: expectedSeq, brokenAt: expectedSeq };
      hash = row.hash;
    }
  }
}

/** @returns the hashed text's fields; none when it is not the text of an entry */
function parseStated(canonical: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(canonical);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** The columns that people query must say what the hashed text says. */
function sameContent(columns: readonly unknown[], stated: readonly unknown[]): boolean {
  return columns.every((value, index) => sortedJson(value) === sortedJson(stated[index]));
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
