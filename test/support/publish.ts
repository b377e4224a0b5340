/** Publishes policies as an operator does who knows what the latest version is. */
import type pg from 'pg';
import type { PolicyReference } from '../../src/domain/plan.js';
import { parsePolicyFile } from '../../src/domain/policy-file.js';
import { latestVersion } from '../../src/store/policies.js';
import { publishPolicy } from '../../src/store/policy-publication.js';

/** @param at epoch milliseconds. Default: now */
export async function publish(pool: pg.Pool, text: string, at = Date.now()): Promise<PolicyReference> {
  const expected = await latestVersion(pool, parsePolicyFile(text, 'test.yaml').id);
  const decision = { actor: 'op-test', reason: 'a test', at, expected };
  return (await publishPolicy(pool, { text, file: 'test.yaml' }, decision)).reference;
}
