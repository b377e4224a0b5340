/** The inactivity policy: its form, and the rules for it as a whole. Pure. */
import { rungNames } from '../rungs.js';
import { checkSessions } from '../sessions/checks.js';
import { checkTokens } from '../tokens/checks.js';
import { checkBreaker, checkDeletion, checkLadder } from './checks.js';
import { type Issues, report } from './issues.js';
import { type LadderOverride, withOverride } from './ladder.js';
import { policyObject } from './schema.js';
import { checkSelfService } from './self-service.js';

/** `policies/x.yaml` may hold only what a ladder can keep. Each rule's message says the way out. */
export const policySchema = policyObject.check((payload) => {
  const { value: policy, issues } = payload;
  if (rungNames.every((rung) => policy.ladder[rung] === undefined)) {
    report(issues, policy, ['ladder'], `has no rung. Add at least one of: ${rungNames.join(', ')}`);
  }
  checkLadder(policy, policy.ladder, ['ladder'], issues);
  const ofLadder = new Set(issues.map(({ path, message }) => JSON.stringify([path?.slice(1), message])));
  const overrides: [path: string[], override: LadderOverride][] = [
    ...Object.entries(policy.roles).flatMap(([role, override]): [string[], LadderOverride][] =>
      override === 'never' ? [] : [[['roles', role], override]],
    ),
    ...(policy.unconfirmed === undefined
      ? []
      : [[['unconfirmed'], policy.unconfirmed] satisfies [string[], LadderOverride]]),
  ];
  for (const [path, override] of overrides) {
    for (const rung of rungNames) {
      if (override[rung] !== undefined && policy.ladder[rung] === undefined) {
        report(
          issues,
          policy,
          [...path, rung],
          `the ladder has no rung "${rung}" to override. Add it to the ladder`,
        );
      }
    }
    const own: Issues = [];
    checkLadder(policy, withOverride(policy.ladder, override), path, own);
    // Problems of the ladder itself are reported there, once.
    issues.push(
      ...own.filter(
        (issue) => !ofLadder.has(JSON.stringify([issue.path?.slice(path.length), issue.message])),
      ),
    );
  }
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
