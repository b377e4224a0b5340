/** Table `policy`: published versions, never changed. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { PolicyReference } from '../domain/plan.js';
import type { Policy } from '../domain/policy.js';
import { PolicyFileError, parsePolicyFile } from '../domain/policy-file.js';
import { inTransaction } from './pool.js';

export interface StoredPolicy {
  readonly reference: PolicyReference;
  readonly policy: Policy;
}

/** No such policy, or no such version of it. */
export class UnknownPolicyError extends Error {
  override readonly name = 'UnknownPolicyError';
  constructor(id: string, version: number | undefined) {
    const which = version === undefined ? `"${id}"` : `"${id}" version ${version}`;
    super(`policy ${which} was never published. Publish it with: dormouse policy publish FILE`);
  }
}

/**
 * Publishes a policy file's text as the next version of its policy; the same text again is no new version.
 * @param text a text that {@link parsePolicyFile} accepts
 */
export async function publishPolicy(
  pool: pg.Pool,
  text: string,
  file: string,
  publishedAt: number,
): Promise<PolicyReference> {
  const policy = parsePolicyFile(text, file);
  const hash = createHash('sha256').update(text).digest('hex');
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`policy/${policy.id}`]);
    const latest = await client.query<{ version: number; hash: string }>(
      'SELECT version, hash FROM policy WHERE id = $1 ORDER BY version DESC LIMIT 1',
      [policy.id],
    );
    const known = latest.rows[0];
    if (known?.hash === hash) return { id: policy.id, version: known.version, hash };
    const version = (known?.version ?? 0) + 1;
    await client.query(
      'INSERT INTO policy (id, version, hash, source, published_at) VALUES ($1, $2, $3, $4, $5)',
      [policy.id, version, hash, text, new Date(publishedAt)],
    );
    return { id: policy.id, version, hash };
  });
}

/** Reads published policies; a version never changes, so each is parsed once a process. */
export class PolicyReader {
  private readonly parsed = new Map<string, Policy>();

  constructor(private readonly pool: pg.Pool) {}

  /** @param version absent: the latest. @throws UnknownPolicyError */
  async read(id: string, version?: number): Promise<StoredPolicy> {
    const found = await this.pool.query<{ version: number; hash: string; source: string }>(
      `SELECT version, hash, source FROM policy
       WHERE id = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT 1`,
      [id, version ?? null],
    );
    const row = found.rows[0];
    if (row === undefined) throw new UnknownPolicyError(id, version);
    const reference = { id, version: row.version, hash: row.hash };
    const policy = this.parsed.get(row.hash) ?? parsePolicyFile(row.source, `${id}@${row.version}`);
    this.parsed.set(row.hash, policy);
    return { reference, policy };
  }
}

/** @returns the latest version of every policy; one that the present rules no longer accept is left out */
export async function latestPolicies(pool: pg.Pool): Promise<StoredPolicy[]> {
  const found = await pool.query<{ id: string; version: number; hash: string; source: string }>(
    'SELECT DISTINCT ON (id) id, version, hash, source FROM policy ORDER BY id, version DESC',
  );
  return found.rows.flatMap(({ id, version, hash, source }) => {
    try {
      return [{ reference: { id, version, hash }, policy: parsePolicyFile(source, `${id}@${version}`) }];
    } catch (error) {
      if (error instanceof PolicyFileError) return [];
      throw error;
    }
  });
}
