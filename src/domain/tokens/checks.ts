/** The rules for a policy's `tokens`: each kind of token has a file of its own. Pure. */
import { checkAccessTokens } from './access-checks.js';
import { checkPersonalTokens } from './personal-checks.js';
import type { TokensPolicy } from './policy.js';
import { checkRefresh } from './refresh-checks.js';

export type Report = (path: readonly (string | number)[], message: string) => void;

/** @param report gets the path below `tokens`, and what is wrong with the way out */
export function checkTokens(policy: TokensPolicy, allowsShort: boolean, report: Report): void {
  const below =
    (member: string): Report =>
    (path, message) =>
      report([member, ...path], message);
  if (policy.access !== undefined) checkAccessTokens(policy.access, allowsShort, below('access'));
  if (policy.refresh !== undefined) checkRefresh(policy.refresh, allowsShort, below('refresh'));
  if (policy.personal !== undefined) checkPersonalTokens(policy.personal, allowsShort, below('personal'));
}
