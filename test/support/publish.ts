/** Publishes policies as an operator who knows the latest version. */
import type pg from 'pg';
import type { PolicyReference } from '../../src/domain/policy-reference.js';
import { latestVersion } from '../../src/policies/policies-table.js';
import { publishPolicy } from '../../src/policies/publication.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';

/** @param at epoch milliseconds. Default: now */
export async function publish(pool: pg.Pool, text: string, at = Date.now()): Promise<PolicyReference> {
  const expected = await latestVersion(pool, parsePolicyFile(text, 'test.yaml').id);
  const decision = { actor: 'op-test', reason: 'a test', at, expected };
  return (await publishPolicy(pool, { text, file: 'test.yaml' }, decision)).reference;
}
