/** The inactivity policy: its form, and the rules for it as a whole. Pure. */
import { checkSessions } from '../sessions/checks.js';
import { checkTokens } from '../tokens/checks.js';
import { checkBreaker, checkDeletion } from './checks.js';
import { report } from './issues.js';
import { checkLadders } from './ladder-checks.js';
import { checkPopulations } from './population-checks.js';
import { policyObject } from './schema.js';
import { checkSelfService } from './self-service.js';

/** `policies/x.yaml` may hold only what a ladder can keep. Each rule's message says the way out. */
export const policySchema = policyObject.check((payload) => {
  const { value: policy, issues } = payload;
  checkLadders(policy, issues);
  checkPopulations(policy, issues);
  checkDeletion(policy, issues);
  checkBreaker(policy, issues);
  checkSelfService(policy, issues);
  if (policy.sessions !== undefined) {
    checkSessions(policy.sessions, policy.allowShortDurations, (path, message) =>
      report(issues, policy, ['sessions', ...path], message),
    );
  }
  if (policy.tokens !== undefined) {
    checkTokens(policy.tokens, policy.allowShortDurations, (path, message) =>
      report(issues, policy, ['tokens', ...path], message),
    );
  }
  if (policy.retry.longestAfter < policy.retry.firstAfter) {
    report(issues, policy, ['retry', 'longestAfter'], 'is shorter than firstAfter. Make it at least as long');
  }
  if (policy.accountTypes.regular === 'never') {
    report(
      issues,
      policy,
      ['accountTypes', 'regular'],
      'would exempt everybody: identities without an account type are regular',
    );
  }
});
