/** An app's table of tokens: read in read-only transactions, revoked in one transaction that reads again first. */
import type pg from 'pg';
import { createAppClient } from '../../postgres/app-client.js';
import { TokenSourceError, withoutRows } from './source-error.js';
import type { TokenSource } from './source-file.js';
import type { SourcedRow } from './sourced-token.js';
import { columnsStatement, pageStatement } from './statements.js';

/** How long the revocation waits for a row that the app is changing, milliseconds. */
const lockTimeoutMs = 5_000;
const timestamptzType = 1184;
const needed = ['id', 'identity_id', 'created_at', 'last_used_at'] as const;
const times = new Set(['created_at', 'last_used_at', 'expires_at']);

/** Which rows to read. Absent fields: all. */
export interface Asked {
  /** The SELECT's $1, epoch milliseconds. */
  readonly cutoff: number;
  readonly ids?: readonly string[];
  /** SHA-256 of ids, hex. */
  readonly hashes?: readonly string[];
  readonly after?: string;
  readonly limit: number;
}

export interface AskedToRevoke extends Asked {
  readonly ids: readonly string[];
  /** The $1 with which the SELECT returns every live token, epoch milliseconds. */
  readonly allLive: number;
}

/** One connection, for one sweep. */
export class AppTokenTable {
  private readonly client: pg.Client;
  private hasExpiry = false;

  constructor(
    private readonly source: TokenSource,
    connectionUrl: string,
  ) {
    this.client = createAppClient({
      connectionUrl,
      statementTimeout: source.statementTimeout,
      purpose: `token source ${source.name}`,
    });
  }

  /**
   * Connects, and checks the columns of the SELECT.
   * @returns the clock of the app's database, epoch milliseconds
   * @throws TokenSourceError
   */
  async connect(): Promise<number> {
    return this.kept(async () => {
      await this.client.connect();
      return this.transaction('READ ONLY', async () => {
        const text = columnsStatement(this.source.select);
        const { fields } = await this.client.query({ text, values: [new Date()] });
        this.checkColumns(fields);
        const { rows } = await this.client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
        return rows[0]?.now.getTime() ?? 0;
      });
    });
  }

  /** @throws TokenSourceError */
  async look(asked: Asked): Promise<SourcedRow[]> {
    // guard: token sources: the app is read in a read-only transaction
    return this.kept(() => this.transaction('READ ONLY', () => this.page(asked)));
  }

  /**
   * Looks again and revokes in one transaction with one snapshot: where a row of the table changes in between, PostgreSQL refuses the
   * update, and all of it is done once more.
   * @param stillDue which of the rows, as they are now, may be revoked
   * @returns the ids that were revoked, and are no longer among the rows of the SELECT
   * @throws TokenSourceError where the statement changes other rows, or leaves one of these among the live ones: nothing is revoked then
   */
  async revoke(
    asked: AskedToRevoke,
    stillDue: (rows: readonly SourcedRow[]) => readonly string[],
  ): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // guard: token sources: the second look and the revocation see one snapshot
        return await this.kept(() =>
          this.transaction('ISOLATION LEVEL REPEATABLE READ', () => this.revokeOnce(asked, stillDue)),
        );
      } catch (error) {
        const isConflict = error instanceof TokenSourceError && error.code === '40001';
        if (!isConflict || attempt >= 3) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async revokeOnce(
    { allLive, ...asked }: AskedToRevoke,
    stillDue: (rows: readonly SourcedRow[]) => readonly string[],
  ): Promise<string[]> {
    const ids = [...stillDue(await this.page(asked))];
    if (ids.length === 0) return [];
    const { rowCount } = await this.client.query(this.source.revoke, [ids]);
    // guard: token sources: a statement that revokes more than it was told is taken back
    if ((rowCount ?? 0) > ids.length) {
      throw new TokenSourceError(
        `"revoke" changed ${rowCount} rows for ${ids.length} ids, so it was taken back. Check its condition: an OR needs parentheses`,
        true,
      );
    }
    const left = await this.page({ ...asked, cutoff: allLive, ids });
    // guard: token sources: what is still live is not said to be revoked
    if (left.length > 0) {
      throw new TokenSourceError(
        `${left.length} of ${ids.length} tokens were still among the rows of "select" after "revoke", so it was taken back. "select" must leave out what "revoke" revokes`,
        true,
      );
    }
    return ids;
  }

  private async page({ cutoff, ids, hashes, after, limit }: Asked): Promise<SourcedRow[]> {
    const text = pageStatement(this.source.select, this.hasExpiry);
    const values = [new Date(cutoff), ids ?? null, hashes ?? null, after ?? null, limit];
    return (await this.client.query<SourcedRow>({ text, values })).rows;
  }

  private async transaction<T>(mode: string, work: () => Promise<T>): Promise<T> {
    await this.client.query(`BEGIN TRANSACTION ${mode}`);
    try {
      // As statements, because poolers refuse start-up options.
      await this.client.query(`SET LOCAL statement_timeout = ${this.source.statementTimeout}`);
      await this.client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
      const result = await work();
      await this.client.query('COMMIT');
      return result;
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private async kept<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw withoutRows(error);
    }
  }

  private checkColumns(fields: readonly pg.FieldDef[]): void {
    const byName = new Map(fields.map((field) => [field.name, field]));
    const missing = needed.filter((name) => !byName.has(name));
    if (missing.length > 0) {
      throw new TokenSourceError(
        `"select" of the source "${this.source.name}" has no column ${missing.join(', ')}. Name its columns ${needed.join(', ')}, and expires_at where tokens expire`,
        true,
      );
    }
    for (const name of times) {
      const field = byName.get(name);
      // guard: token sources: a time without zone is refused
      if (field === undefined || field.dataTypeID === timestamptzType) continue;
      throw new TokenSourceError(
        `"select" of the source "${this.source.name}": ${name} is no timestamp with time zone, so it names no instant. Write, for times in UTC: ${name} AT TIME ZONE 'UTC' AS ${name}`,
        true,
      );
    }
    this.hasExpiry = byName.has('expires_at');
  }
}
