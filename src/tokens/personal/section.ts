/** The section `tokens.personal` of a policy, for operators: every problem says the field and the way out. */
import type pg from 'pg';
import type { Policy } from '../../domain/policy/schema.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { checkedPolicyId } from '../../policies/id-parameter.js';
import { AlteredPolicyError, PolicyReader, UnknownPolicyError } from '../../policies/policies-table.js';
import { parsePolicyFile } from '../../policies/yaml.js';
import { InvalidRequestError } from '../../process/caller-errors.js';

/** @throws InvalidRequestError where the policy was never published, was altered, or has no such section */
export async function publishedSection(pool: pg.Pool, id: string): Promise<PersonalTokensPolicy> {
  const { policy } = await readPublished(pool, checkedPolicyId('policyId', id));
  return sectionOf(policy);
}

/** A token whose policy lost its section is found all the same: it may have to be revoked. */
export async function publishedSectionOrNone(
  pool: pg.Pool,
  id: string,
): Promise<PersonalTokensPolicy | undefined> {
  return (await readPublished(pool, id)).policy.tokens?.personal;
}

/**
 * @param text of a policy file
 * @param file its name, for messages
 * @throws PolicyFileError. InvalidRequestError where it is another policy, or has no such section
 */
export function sectionOfText(id: string, text: string, file: string): PersonalTokensPolicy {
  const policy = parsePolicyFile(text, file);
  if (policy.id === id) return sectionOf(policy);
  throw new InvalidRequestError(
    `text: holds the policy "${policy.id}", and the tokens asked about are of "${id}". Write --policy ${policy.id}`,
  );
}

async function readPublished(pool: pg.Pool, id: string) {
  try {
    return await new PolicyReader(pool).read(id);
  } catch (error) {
    if (error instanceof UnknownPolicyError || error instanceof AlteredPolicyError)
      throw new InvalidRequestError(error.message, { cause: error });
    throw error;
  }
}

function sectionOf({ id, tokens }: Policy): PersonalTokensPolicy {
  if (tokens?.personal !== undefined) return tokens.personal;
  throw new InvalidRequestError(
    `policyId: the policy "${id}" has no section "tokens.personal" (docs/personal-access-tokens.md)`,
  );
}
