/** A policy of personal access tokens as a policy file writes it. */
import {
  type PersonalTokensPolicy,
  personalTokensSection,
} from '../../../src/domain/tokens/personal-policy.js';

export const day = 86_400_000;

export function personal(fields: object = {}): PersonalTokensPolicy {
  return personalTokensSection.parse(fields);
}
