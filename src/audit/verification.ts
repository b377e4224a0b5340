/** Computes the audit log's chain again, row by row, and names the first row that does not fit. */
import type pg from 'pg';
import { type ChainHead, chainHash } from './chain.js';
import { readChainStart } from './checkpoints-table.js';
import { readHashAt } from './log-table.js';

export interface BrokenRow {
  readonly seq: number;
  readonly why: string;
}

export interface ChainVerdict {
  readonly rows: number;
  /** The first row whose content, hash or place does not fit. Absent when the chain is intact. */
  readonly brokenAt?: number;
  readonly why?: string;
}

/** A part of the chain: the rows that fit, in order, and the first that does not. */
export interface ChainPage {
  readonly sound: readonly ChainHead[];
  /** The part ends with this row. */
  readonly broken?: BrokenRow;
}

const defaultPageSize = 1_000;

/** Reads the chain page by page, so that memory stays bounded for a log of any length. */
export async function* walkChain(
  pool: pg.Pool,
  from: ChainHead,
  pageSize = defaultPageSize,
): AsyncGenerator<ChainPage, void, undefined> {
  let last = from;
  for (;;) {
    const page = await pool.query(
      `SELECT *, extract(epoch FROM occurred_at) * 1000 AS occurred_ms
       FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`,
      [last.seq, pageSize],
    );
    if (page.rows.length === 0) return;
    const sound: ChainHead[] = [];
    for (const row of page.rows) {
      const why = problemOf(row, last);
      if (why !== undefined) {
        yield { sound, broken: { seq: last.seq + 1, why } };
        return;
      }
      last = { seq: last.seq + 1, hash: row.hash };
      sound.push(last);
    }
    yield { sound };
  }
}

/** Verifies the chain alone. It can't detect rows missing at the end; signed heads can. */
export async function verifyAudit(pool: pg.Pool, pageSize?: number): Promise<ChainVerdict> {
  const start = await readChainStart(pool);
  const why = await problemOfStart(pool, start);
  if (why !== undefined) return { rows: start.seq, brokenAt: start.seq, why };
  let rows = start.seq;
  for await (const { sound, broken } of walkChain(pool, start, pageSize)) {
    rows = sound.at(-1)?.seq ?? rows;
    if (broken !== undefined) return { rows: broken.seq, brokenAt: broken.seq, why: broken.why };
  }
  return { rows };
}

/**
 * What is wrong with the first row of a pruned log; `undefined` where it is unchanged, or nothing was pruned.
 */
export async function problemOfStart(pool: pg.Pool, { seq, hash }: ChainHead): Promise<string | undefined> {
  if (seq === 0 || (await readHashAt(pool, seq)) === hash) return undefined;
  return 'the rows before it were removed under a checkpoint, and it is missing or no longer what it was then';
}

function problemOf(row: Record<string, unknown>, before: ChainHead): string | undefined {
  if (Number(row.seq) !== before.seq + 1) return `it is missing: row ${row.seq} comes next`;
  // guard: audit: each row covers the one before it
  if (row.previous_hash !== before.hash) return 'it does not follow from the row before it';
  const canonical = String(row.canonical);
  // guard: audit: a row says what was hashed
  if (row.hash !== chainHash(before.hash, canonical)) return 'its hash is not that of its text';
  const stated = parseStated(canonical);
  const differing = columnsOf(row).findIndex(
    ([, value], index) => sortedJson(value) !== sortedJson(stated[index]),
  );
  if (differing < 0) return undefined;
  return `its column ${columnsOf(row)[differing]?.[0]} says something else than the text that was hashed`;
}

/** The queryable columns must equal the fields of the hashed text, in its order. */
function columnsOf(row: Record<string, unknown>): readonly (readonly [name: string, value: unknown])[] {
  const stated = parseStated(String(row.canonical));
  return [
    ['seq', Number(row.seq)],
    ['event_id', row.event_id],
    ['event_type', row.event_type],
    ['target', row.target],
    ['actor', row.actor],
    // In microseconds, which a Date would drop.
    ['occurred_at', Number(row.occurred_ms)],
    ['policy_id', row.policy_id],
    ['policy_version', row.policy_version],
    // Only the text has the policy's hash.
    ['canonical', stated[8]],
    ['stage', row.stage],
    ['days_inactive', row.days_inactive],
    ['outcome', row.outcome],
    ['detail', row.detail],
  ];
}

/** @returns the fields of the hashed text; empty when it is not the text of an entry */
function parseStated(canonical: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(canonical);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
