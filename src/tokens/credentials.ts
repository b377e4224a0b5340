/** When the tokens of one identity end for inactivity: for operators, beside the identity's own standing. Changes nothing. */
import type pg from 'pg';
import { given } from '../domain/given.js';
import type { LiveStanding } from '../domain/standing.js';
import type { CredentialStanding } from '../domain/tokens/credential-standing.js';
import { personalLimits } from '../domain/tokens/personal-limits.js';
import { type PersonalTokensPolicy, usualType } from '../domain/tokens/personal-policy.js';
import { judgeToken } from '../domain/tokens/personal-verdict.js';
import { refreshEndsAt } from '../domain/tokens/refresh-staleness.js';
import { latestPolicies, type StoredPolicy } from '../policies/policies-table.js';
import { databaseNow } from '../postgres/database-now.js';
import { readTokensOf, type StoredToken } from './personal/personal-tokens-table.js';
import { readLiveFamilies, readPersonActiveAt } from './refresh/families-table.js';

/** What a live lifecycle says of its credentials, with those that are tokens. */
export async function credentialsOf(
  pool: pg.Pool,
  { identityId, policy, sessionsEnd }: LiveStanding,
): Promise<CredentialStanding[]> {
  const tokens = await credentialStandings(
    pool,
    { identityId, policyId: policy?.id },
    await databaseNow(pool),
  );
  if (sessionsEnd === undefined || policy === undefined) return tokens;
  const { afterMs: inactiveMs, at: nextEndAt } = sessionsEnd;
  return [{ kind: 'session', policyId: policy.id, inactiveMs, ...given({ nextEndAt }) }, ...tokens];
}

/** @param policyId the identity's policy, whose types are there also without a token; others only where it has tokens under them */
export async function credentialStandings(
  pool: pg.Pool,
  { identityId, policyId }: { readonly identityId: string; readonly policyId: string | undefined },
  now: number,
): Promise<CredentialStanding[]> {
  const [tokens, personActiveAt, { policies }] = await Promise.all([
    readTokensOf(pool, identityId),
    readPersonActiveAt(pool, identityId),
    latestPolicies(pool),
  ]);
  const found: CredentialStanding[] = [];
  for (const stored of policies) {
    const { id } = stored.reference;
    const refresh = stored.policy.tokens?.refresh;
    if (refresh !== undefined) {
      const ends = (await readLiveFamilies(pool, identityId, id))
        .map((family) => refreshEndsAt(family, personActiveAt, refresh))
        // One that is over its limit is refused already.
        .filter((at) => at === undefined || at > now);
      const nextEndAt = earliest(ends);
      found.push({
        ...{ kind: 'refresh', policyId: id, inactiveMs: Math.min(refresh.unused, refresh.inactive) },
        ...{ live: ends.length, ...given({ nextEndAt }) },
      });
    }
    found.push(...personalOf(stored, tokens, now));
  }
  return found.filter(({ live = 0, policyId: id }) => live > 0 || id === policyId);
}

function personalOf(
  { policy, reference: { id } }: StoredPolicy,
  tokens: readonly StoredToken[],
  now: number,
): CredentialStanding[] {
  const personal = policy.tokens?.personal;
  if (personal === undefined) return [];
  const own = tokens.filter((token) => token.policyId === id);
  const types = new Set([usualType, ...Object.keys(personal.types), ...own.map(({ type }) => type)]);
  return [...types].map((type) => {
    const ends = own.flatMap((token) => (token.type === type ? endOf(token, personal, now) : []));
    const { inactiveMs } = personalLimits(personal, { type, roles: [] });
    const nextEndAt = earliest(ends);
    return { kind: 'personal', type, policyId: id, inactiveMs, live: ends.length, ...given({ nextEndAt }) };
  });
}

/** @returns nothing of a token that is refused */
function endOf(token: StoredToken, personal: PersonalTokensPolicy, now: number): (number | undefined)[] {
  const verdict = judgeToken(token, personalLimits(personal, token), token.owner, personal, now);
  if (verdict.state === 'refused') return [];
  return [earliest([verdict.inactiveAt ?? undefined, verdict.expiresAt ?? undefined])];
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
