/** The rules for a policy's `tokens`: each kind of token has a file of its own. Pure. */
import { checkPersonalTokens } from './personal-checks.js';
import type { TokensPolicy } from './policy.js';

export type Report = (path: readonly (string | number)[], message: string) => void;

export function checkTokens(policy: TokensPolicy, allowsShort: boolean, report: Report): void {
  if (policy.personal !== undefined) {
    checkPersonalTokens(policy.personal, allowsShort, (path, message) =>
      report(['personal', ...path], message),
    );
  }
}
