/** Whether a personal access token is over a limit, as a sweep judges it: with its owner looked at in Kratos. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { judgeToken } from '../../domain/tokens/personal-verdict.js';
import type { StoredPolicy } from '../../policies/policies-table.js';
import type { StoredToken } from './personal-tokens-table.js';
import { isSpared } from './spared.js';

/** A token that is over a limit. */
export interface DueToken {
  /** Under which the breaker counts its end. After a use it is another one. */
  readonly key: string;
  readonly identityId: string;
  readonly token: StoredToken;
  readonly why: 'inactive' | 'expired';
  readonly rule?: string;
  /** When the limit was reached, epoch milliseconds. */
  readonly endedAt: number;
}

/** `spared`: its owner is exempt or on hold. `undefined`: it is over no limit. */
export type Judged = DueToken | 'spared' | undefined;

/**
 * @param judgedAt what is over its limit by then is due, epoch milliseconds
 * @throws StepError where Kratos is away
 */
export async function judgeDue(
  dependencies: { readonly identities: IdentityApi; readonly pool: pg.Pool },
  published: StoredPolicy,
  personal: PersonalTokensPolicy,
  token: StoredToken,
  { judgedAt, now }: { readonly judgedAt: number; readonly now: number },
): Promise<Judged> {
  const due = dueAt(token, personal, judgedAt);
  // guard: tokens: the sweep asks about exemptions at the time of the act
  if (due?.why === 'inactive' && (await isSpared(dependencies, published, token.identityId, now))) {
    // It may have expired since all the same.
    return dueAt({ ...token, owner: { isSpared: true } }, personal, judgedAt) ?? 'spared';
  }
  return due;
}

/** The same by what the owner's standing says, without Kratos. */
export function dueAt(
  token: StoredToken,
  personal: PersonalTokensPolicy,
  judgedAt: number,
): DueToken | undefined {
  // Whether the owner is deactivated says nothing about the token's own end.
  const owner = token.owner.isSpared === true ? { isSpared: true as const } : {};
  const verdict = judgeToken(token, personalLimits(personal, token), owner, personal, judgedAt);
  if (verdict.state === 'live' || verdict.at === undefined) return undefined;
  const { why, rule, at } = verdict;
  if (why !== 'inactive' && why !== 'expired') return undefined;
  const { tokenId, identityId, lastUsedAt = 0 } = token;
  const key = `endPersonal/${tokenId}/${lastUsedAt}`;
  return { key, identityId, token, why, endedAt: at, ...given({ rule }) };
}
