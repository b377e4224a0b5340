/** What operators are shown of personal access tokens: never the token itself, nor its hash. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { personalLimits } from '../../domain/tokens/personal-limits.js';
import type { PersonalTokensPolicy } from '../../domain/tokens/personal-policy.js';
import { judgeToken, type TokenEnd } from '../../domain/tokens/personal-verdict.js';
import { databaseNow } from '../../postgres/database-now.js';
import { type DueToken, dueAt } from './due.js';
import { endingBy } from './ending-soon.js';
import { readTokensOf, type StoredToken } from './personal-tokens-table.js';
import { publishedSectionOrNone } from './section.js';

/** A token as operators see it. Times in epoch milliseconds. */
export interface ListedToken {
  readonly tokenId: string;
  readonly identityId: string;
  readonly type: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** `live`, why it ended, or why it is refused though no sweep ended it yet. */
  readonly state: 'live' | TokenEnd | 'owner';
  readonly createdAt: number;
  readonly lastUsedAt?: number;
  /** Its own expiry or the policy's ceiling, whichever is earlier. Absent: it does not expire. */
  readonly expiresAt?: number;
  readonly endedAt?: number;
  /** After how long it ends unused; `null`: never. Absent: its policy is an app's own, or has no section for tokens any more. */
  readonly inactiveMs?: number | null;
  /** Absent: the app's own. */
  readonly policyId?: string;
  readonly rotatedFrom?: string;
}

/** The tokens of an identity, the newest first. @throws InvalidRequestError where the text of a policy was altered */
export async function listTokens(
  pool: pg.Pool,
  identityId: string,
  { ended }: { readonly ended: boolean },
): Promise<ListedToken[]> {
  const now = await databaseNow(pool);
  const policies = new Map<string, PersonalTokensPolicy | undefined>();
  const listed: ListedToken[] = [];
  for (const token of await readTokensOf(pool, identityId, { ended })) {
    const { policyId } = token;
    if (policyId !== undefined && !policies.has(policyId)) {
      policies.set(policyId, await publishedSectionOrNone(pool, policyId));
    }
    listed.push(shownOf(token, policyId === undefined ? undefined : policies.get(policyId), now));
  }
  return listed;
}

/** @param policy absent: not known here */
export function shownOf(
  token: StoredToken,
  policy: PersonalTokensPolicy | undefined,
  now: number,
): ListedToken {
  const { tokenId, identityId, type, name, scopes, createdAt, lastUsedAt, ended, endedAt } = token;
  const limits = policy && personalLimits(policy, token);
  const verdict = policy && limits && judgeToken(token, limits, token.owner, policy, now);
  const isRefused = ended === undefined && verdict?.state === 'refused';
  const expiresAt = verdict?.state === 'live' ? (verdict.expiresAt ?? undefined) : token.expiresAt;
  return {
    ...{ tokenId, identityId, type, name, scopes, createdAt },
    state: ended ?? (isRefused ? verdict.why : 'live'),
    ...given({ lastUsedAt, expiresAt, endedAt, inactiveMs: limits?.inactiveMs }),
    ...given({ policyId: token.policyId, rotatedFrom: token.rotatedFrom }),
  };
}

export interface DuePage {
  readonly tokens: readonly DueToken[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/**
 * Tokens that end by a moment if nobody uses them. Exempt owners are in it as far as their standing says so: the sweep asks Kratos at the
 * time of the act.
 * @param by epoch milliseconds
 */
export async function dueTokens(
  pool: pg.Pool,
  policyId: string,
  personal: PersonalTokensPolicy,
  { by, after, rows }: { readonly by: number; readonly after?: string | undefined; readonly rows: number },
): Promise<DuePage> {
  const tokens: DueToken[] = [];
  for await (const token of endingBy(pool, policyId, personal, by, after)) {
    const due = dueAt(token, personal, by);
    if (due === undefined) continue;
    tokens.push(due);
    if (tokens.length === rows) return { tokens, next: token.tokenId };
  }
  return { tokens };
}
