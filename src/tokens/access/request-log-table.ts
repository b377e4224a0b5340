/** Table `request_log`: what apps log of requests with access tokens. */
import type pg from 'pg';
import { given } from '../../domain/given.js';

export const logCategories = ['AUDIT', 'SECURITY', 'ERROR'] as const;
export type LogCategory = (typeof logCategories)[number];

/** An app's name in the log. */
export const appNamePattern = /^[a-z][a-z0-9-]{0,31}$/;

export interface LogLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly category: LogCategory;
  readonly app: string;
  /** Absent: nobody is known. */
  readonly identityId?: string;
  readonly event: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly reason?: string;
}

export interface StoredLine extends LogLine {
  /** Grows with each line: the cursor. Decimal. */
  readonly id: string;
}

interface LineRow {
  readonly log_id: string;
  readonly at: Date;
  readonly category: LogCategory;
  readonly app: string;
  readonly identity_id: string | null;
  readonly event: string;
  readonly method: string | null;
  readonly path: string | null;
  readonly status: number | null;
  readonly reason: string | null;
}

export async function writeLines(pool: pg.Pool, lines: readonly LogLine[]): Promise<void> {
  if (lines.length === 0) return;
  await pool.query(
    `INSERT INTO request_log (at, category, app, identity_id, event, method, path, status, reason)
     SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::smallint[], $9::text[])`,
    [
      lines.map(({ at }) => new Date(at)),
      lines.map(({ category }) => category),
      lines.map(({ app }) => app),
      lines.map(({ identityId }) => identityId ?? null),
      lines.map(({ event }) => event),
      lines.map(({ method }) => method ?? null),
      lines.map(({ path }) => path ?? null),
      lines.map(({ status }) => status ?? null),
      lines.map(({ reason }) => reason ?? null),
    ],
  );
}

export interface LogQuestion {
  /** Absent: all apps. */
  readonly app?: string;
  /** Absent: everybody's. */
  readonly identityId?: string;
  readonly category?: LogCategory;
  /** Lines before this one, decimal. */
  readonly before?: string;
  /** Epoch milliseconds; `until` is excluded. */
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
}

/** The latest lines first. */
export async function readLines(pool: pg.Pool, question: LogQuestion): Promise<StoredLine[]> {
  const { rows } = await pool.query<LineRow>(
    `SELECT log_id, at, category, app, identity_id, event, method, path, status, reason FROM request_log
     WHERE ($1::text IS NULL OR app = $1) AND ($2::uuid IS NULL OR identity_id = $2) AND ($3::text IS NULL OR category = $3)
       AND ($4::bigint IS NULL OR log_id < $4) AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
     ORDER BY log_id DESC LIMIT $7`,
    [
      question.app ?? null,
      question.identityId ?? null,
      question.category ?? null,
      question.before ?? null,
      question.since === undefined ? null : new Date(question.since),
      question.until === undefined ? null : new Date(question.until),
      question.limit,
    ],
  );
  return rows.map((row) => ({
    id: row.log_id,
    at: row.at.getTime(),
    category: row.category,
    app: row.app,
    event: row.event,
    ...given({
      identityId: row.identity_id ?? undefined,
      method: row.method ?? undefined,
      path: row.path ?? undefined,
      status: row.status ?? undefined,
      reason: row.reason ?? undefined,
    }),
  }));
}

/** Forgets lines that have served their time. @returns how many */
export async function forgetOldLines(pool: pg.Pool, before: Date): Promise<number> {
  const { rowCount } = await pool.query(
    'DELETE FROM request_log WHERE log_id IN (SELECT log_id FROM request_log WHERE at < $1 LIMIT 20000)',
    [before],
  );
  return rowCount ?? 0;
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetLines(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM request_log WHERE identity_id = $1', [identityId]);
}
