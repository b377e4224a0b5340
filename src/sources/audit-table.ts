/**
 * Reads an app's audit table, page by page, in a read-only transaction. Knows
 * nothing of Dormouse's own database.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { createAppClient } from '../postgres/app-client.js';
import type { SourcePosition } from '../workflows/schedule-messages.js';
import type { SignSource } from './source-file.js';

export interface SeenIdentity {
  readonly identityId: string;
  /** Its latest event on the page, epoch milliseconds. */
  readonly at: number;
}

export interface AuditPage {
  readonly seen: readonly SeenIdentity[];
  readonly rows: number;
  /** Rows whose identity column held no UUID. The actual value never leaves the app's database. */
  readonly unusable: number;
  /** The position behind the last row. Absent when the page is empty. */
  readonly end?: SourcePosition;
}

const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

/** One connection to an app's database, for one poll. */
export class AuditTable {
  private readonly client: pg.Client;
  private readonly statement: string;
  private readonly statementTimeoutMs: number;
  private readonly eventTypes: readonly string[];

  constructor(source: SignSource, connectionUrl: string) {
    this.client = createAppClient({
      connectionUrl,
      statementTimeout: source.statementTimeout,
      purpose: `activity source ${source.name}`,
    });
    this.statement = pageStatement(source);
    this.statementTimeoutMs = source.statementTimeout;
    this.eventTypes = source.eventTypes;
  }

  async connect(): Promise<void> {
    await this.client.connect();
  }

  /**
   * @param after the page begins behind it
   * @param until no later row is read: a mistyped year must not make the position
   * skip all earlier rows. Epoch ms
   */
  async readPage(after: SourcePosition, until: number, rows: number): Promise<AuditPage> {
    const { client } = this;
    await client.query('BEGIN TRANSACTION READ ONLY');
    try {
      // As a statement, because poolers refuse start-up options. Times without a zone count as UTC.
      await client.query(`SET LOCAL statement_timeout = ${this.statementTimeoutMs}`);
      await client.query(`SET LOCAL TimeZone = 'UTC'`);
      await client.query(`SET LOCAL DateStyle = 'ISO'`);
      const found = await client.query<{ identity: string; position: string; at: string; rows: number }>(
        this.statement,
        [this.eventTypes, after.at, after.identity, new Date(until), rows],
      );
      return pageOf(found.rows);
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** A hash of what is read. When it changes, rows skipped before may count now. */
export function definitionOf(source: SignSource): string {
  const { table, query, columns, eventTypes, kind } = source;
  const definition = JSON.stringify({ table, query, columns, eventTypes: [...eventTypes].sort(), kind });
  return createHash('sha256').update(definition).digest('hex').slice(0, 16);
}

/**
 * Rows ordered by time and identity, so that a page ends exactly between two of them, even where many share a
 * time. Rows that share both are one sign of life. An index that begins with the time column serves it.
 * @returns SQL; its parameters are event types, time and identity of the
 * position, the latest time, and the rows
 */
export function pageStatement({ table, query, columns }: SignSource): string {
  const relation = table?.map((part) => pg.escapeIdentifier(part)).join('.') ?? `(${query}\n)`;
  const identity = `audit.${pg.escapeIdentifier(columns.identityId)}`;
  const createdAt = `audit.${pg.escapeIdentifier(columns.createdAt)}`;
  const eventType = `audit.${pg.escapeIdentifier(columns.eventType)}`;
  return `
    WITH page AS (
      SELECT identity, created_at FROM (
        SELECT ${createdAt} AS created_at,
          (CASE WHEN ${identity}::text ~* '${uuid}' THEN lower(${identity}::text) ELSE '' END) COLLATE "C" AS identity
        FROM ${relation} AS audit
        WHERE ${eventType}::text = ANY ($1::text[])
          AND ${createdAt} >= $2::timestamptz AND ${createdAt} <= $4::timestamptz
      ) AS found
      WHERE created_at > $2::timestamptz OR identity > $3
      ORDER BY created_at, identity
      LIMIT $5
    )
    SELECT identity, max(created_at)::timestamptz::text AS position, count(*)::integer AS rows,
      floor(extract(epoch FROM max(created_at)::timestamptz) * 1000)::text AS at
    FROM page GROUP BY identity ORDER BY max(created_at), identity`;
}

function pageOf(
  groups: readonly { identity: string; position: string; at: string; rows: number }[],
): AuditPage {
  const last = groups[groups.length - 1];
  return {
    seen: groups
      .filter(({ identity }) => identity !== '')
      .map(({ identity, at }) => ({ identityId: identity, at: Number(at) })),
    rows: groups.reduce((sum, { rows }) => sum + rows, 0),
    unusable: groups.find(({ identity }) => identity === '')?.rows ?? 0,
    // The latest time and the last identity with that time: the page's last row.
    ...(last === undefined ? {} : { end: { at: last.position, identity: last.identity } }),
  };
}
