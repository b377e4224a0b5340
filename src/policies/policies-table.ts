/**
 * Table `policy`: published versions, never changed. A text that differs from
 * the published one is never used.
 */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Policy } from '../domain/policy/schema.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { PolicyFileError, parsePolicyFile } from './yaml.js';

export interface StoredPolicy {
  readonly reference: PolicyReference;
  readonly policy: Policy;
}

/** A version as the table has it. */
export interface PolicyRow {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the published text, hex. */
  readonly hash: string;
  /** The text, YAML. */
  readonly source: string;
}

/** No such policy, or no such version of it. */
export class UnknownPolicyError extends Error {
  override readonly name = 'UnknownPolicyError';
  constructor(id: string, version: number | undefined) {
    const which = version === undefined ? `"${id}"` : `"${id}" version ${version}`;
    super(`policy ${which} was never published. Publish it with: dormouse policy publish FILE --reason '…'`);
  }
}

/** A version whose text differs from the published one. It is never used. */
export class AlteredPolicyError extends Error {
  override readonly name = 'AlteredPolicyError';
  /** Such as `default@2`. */
  readonly policy: string;
  constructor({ id, version, hash }: Pick<PolicyRow, 'id' | 'version' | 'hash'>) {
    super(
      `policy "${id}" version ${version} was altered in the database: its text no longer has the hash that was published (sha256 ${hash.slice(0, 12)}), so nothing acts by it. Find out who wrote to the table "policy", then publish the right text, which takes no preview: dormouse policy publish FILE --reason '…'`,
    );
    this.policy = `${id}@${version}`;
  }
}

/** @returns the SHA-256 of a policy's text, hex */
export function policyHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether the text is the published one. */
export function isIntact({ hash, source }: PolicyRow): boolean {
  return policyHash(source) === hash;
}

/** Reads published policies; a version never changes, so each text is parsed once a process. */
export class PolicyReader {
  private readonly parsed = new Map<string, Policy>();

  constructor(private readonly pool: pg.Pool) {}

  /** @param version absent: the latest. @throws UnknownPolicyError, AlteredPolicyError */
  async read(id: string, version?: number): Promise<StoredPolicy> {
    const row = await readPolicyRow(this.pool, id, version);
    // Checked before the cache: the cache has the text with this hash, which may differ
    // from the text in the table now.
    // guard: policies: an altered text is acted by nowhere
    if (!isIntact(row)) throw new AlteredPolicyError(row);
    const policy = this.parsed.get(row.hash) ?? parsePolicyFile(row.source, `${id}@${row.version}`);
    this.parsed.set(row.hash, policy);
    return { reference: { id, version: row.version, hash: row.hash }, policy };
  }
}

/**
 * @param version absent: the latest.
 * @returns the row as the table has it, altered or not.
 * @throws UnknownPolicyError
 */
export async function readPolicyRow(
  client: pg.Pool | pg.PoolClient,
  id: string,
  version?: number,
): Promise<PolicyRow> {
  const found = await client.query<PolicyRow>(
    `SELECT id, version, hash, source FROM policy
     WHERE id = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT 1`,
    [id, version ?? null],
  );
  const row = found.rows[0];
  if (row === undefined) throw new UnknownPolicyError(id, version);
  return row;
}

/** @returns the latest version of a policy; 0 where none was published */
export async function latestVersion(client: pg.Pool | pg.PoolClient, id: string): Promise<number> {
  const found = await client.query<{ latest: number }>(
    'SELECT COALESCE(max(version), 0)::int AS latest FROM policy WHERE id = $1',
    [id],
  );
  return found.rows[0]?.latest ?? 0;
}

export interface LatestPolicies {
  /** A text that the present rules no longer accept is left out. */
  readonly policies: readonly StoredPolicy[];
  /** One for each altered policy. A caller that shows results by policy shows these as well. */
  readonly refused: readonly AlteredPolicyError[];
}

/** Reads the latest version of every policy. An altered one does not hide the others. */
export async function latestPolicies(pool: pg.Pool): Promise<LatestPolicies> {
  const found = await pool.query<PolicyRow>(
    'SELECT DISTINCT ON (id) id, version, hash, source FROM policy ORDER BY id, version DESC',
  );
  const [intact, altered] = [found.rows.filter(isIntact), found.rows.filter((row) => !isIntact(row))];
  return {
    policies: intact.flatMap(({ id, version, hash, source }) => {
      try {
        return [{ reference: { id, version, hash }, policy: parsePolicyFile(source, `${id}@${version}`) }];
      } catch (error) {
        if (error instanceof PolicyFileError) return [];
        throw error;
      }
    }),
    // guard: policies: the work list and the breaker name an altered text
    refused: altered.map((row) => new AlteredPolicyError(row)),
  };
}

export interface ListedPolicy extends Omit<PolicyRow, 'source'> {
  /** Epoch milliseconds. */
  readonly publishedAt: number;
  readonly isLatest: boolean;
  readonly isIntact: boolean;
}

/** @returns every version of every policy, including the altered ones */
export async function listPolicies(pool: pg.Pool): Promise<ListedPolicy[]> {
  const found = await pool.query<PolicyRow & { published_at: Date; latest: boolean }>(
    `SELECT id, version, hash, source, published_at, version = max(version) OVER (PARTITION BY id) AS latest
     FROM policy ORDER BY id, version`,
  );
  return found.rows.map(({ published_at, latest, ...row }) => ({
    id: row.id,
    version: row.version,
    hash: row.hash,
    publishedAt: published_at.getTime(),
    isLatest: latest,
    isIntact: isIntact(row),
  }));
}
