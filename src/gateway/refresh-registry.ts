/** The registry of Hydra's refresh tokens: on where the published policy has rules for them. */
import type pg from 'pg';
import { earlierNow } from '../postgres/database-now.js';
import { endStaleAtSignIn } from '../tokens/refresh/at-sign-in.js';
import { readConsent } from '../tokens/refresh/consents-table.js';
import {
  followGrant,
  followRefresh,
  type HydraGrant,
  isEndedInRegistry,
} from '../tokens/refresh/hydra-grants.js';
import type { JudgedBy } from '../tokens/refresh/judged-by.js';
import type { PublishedPolicy } from './published-policy.js';

/**
 * @param onError told when a person's stale families could not be ended: the sweep will
 * @returns what the token hook calls; its answer is false where a family ended
 */
export function refreshRegistry(
  pool: pg.Pool,
  published: () => Promise<PublishedPolicy | undefined>,
  onError: (error: unknown) => void,
): (grant: HydraGrant) => Promise<boolean> {
  return async (grant) => {
    const judgedBy = rulesOf(await published());
    const isRefresh = grant.grant === 'refresh_token';
    // What ended stays ended, also where the policy's rules were taken away since.
    // guard: refresh: what ended gets no token when the policy lost its rules
    if (judgedBy === undefined) return !(isRefresh && (await isEndedInRegistry(pool, grant.consent)));
    if (isRefresh) return followRefresh(pool, judgedBy, grant, Date.now());
    const { identityId, clientId, loginSid } = grant;
    // A gateway whose clock is ahead would end what is in use.
    // guard: refresh: a gateway whose clock is ahead ends nothing
    const now = Math.floor(await earlierNow(pool, Date.now()));
    const noted = loginSid === undefined ? {} : await readConsent(pool, { loginSid, clientId, identityId });
    if (!(await followGrant(pool, judgedBy, { ...grant, noted }, now))) return false;
    await endStaleAtSignIn(pool, judgedBy, { identityId, origin: noted }, now).catch(onError);
    return true;
  };
}

/** @returns `undefined` where the policy has none, or was never published */
function rulesOf(published: PublishedPolicy | undefined): JudgedBy | undefined {
  const refresh = published?.policy.tokens?.refresh;
  return published && refresh && { policy: refresh, reference: published.reference };
}
