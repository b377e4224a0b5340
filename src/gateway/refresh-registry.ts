/** The registry of Hydra's refresh tokens: on where the published policy has rules for them. */
import type pg from 'pg';
import { PolicyReader, UnknownPolicyError } from '../policies/policies-table.js';
import { databaseNow } from '../sessions/sessions-table.js';
import { endStaleAtSignIn } from '../tokens/refresh/at-sign-in.js';
import { readConsent } from '../tokens/refresh/consents-table.js';
import {
  followGrant,
  followRefresh,
  type HydraGrant,
  isEndedInRegistry,
} from '../tokens/refresh/hydra-grants.js';
import type { JudgedBy } from '../tokens/refresh/judged-by.js';

/** How long what the policy says is used before it is read again, milliseconds. */
const freshMs = 10_000;

/**
 * @param onError told when a person's stale families could not be ended: the sweep will
 * @returns what the token hook calls; its answer is false where a family ended
 */
export function refreshRegistry(
  pool: pg.Pool,
  policyId: string,
  onError: (error: unknown) => void,
): (grant: HydraGrant) => Promise<boolean> {
  const reader = new PolicyReader(pool);
  let known: { readonly judgedBy: JudgedBy | undefined; readonly readAt: number } | undefined;
  const rules = async (): Promise<JudgedBy | undefined> => {
    if (known === undefined || performance.now() - known.readAt >= freshMs) {
      known = { judgedBy: await readRules(reader, policyId), readAt: performance.now() };
    }
    return known.judgedBy;
  };
  return async (grant) => {
    const judgedBy = await rules();
    const isRefresh = grant.grant === 'refresh_token';
    // What ended stays ended, also where the policy's rules were taken away since.
    if (judgedBy === undefined) return !(isRefresh && (await isEndedInRegistry(pool, grant.consent)));
    if (isRefresh) return followRefresh(pool, judgedBy, grant, Date.now());
    const { identityId, clientId, loginSid } = grant;
    // A gateway whose clock is ahead would end what is in use.
    const now = Math.floor(Math.min(Date.now(), await databaseNow(pool)));
    const noted = loginSid === undefined ? {} : await readConsent(pool, { loginSid, clientId, identityId });
    if (!(await followGrant(pool, judgedBy, { ...grant, noted }, now))) return false;
    await endStaleAtSignIn(pool, judgedBy, { identityId, origin: noted }, now).catch(onError);
    return true;
  };
}

/** @returns `undefined` where the policy has none, or was never published */
async function readRules(reader: PolicyReader, policyId: string): Promise<JudgedBy | undefined> {
  try {
    const { policy, reference } = await reader.read(policyId);
    return policy.tokens?.refresh && { policy: policy.tokens.refresh, reference };
  } catch (error) {
    if (error instanceof UnknownPolicyError) return undefined;
    throw error;
  }
}
