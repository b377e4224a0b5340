/** Families whose tokens Hydra issues: the registry follows its grants and refreshes, and refuses what ended. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { RequestOrigin } from '../../domain/tokens/refresh-staleness.js';
import { startFamily } from './families-table.js';

export interface HydraGrant {
  /** Hydra's consent, which all tokens of one grant go back to. */
  readonly consent: string;
  readonly identityId: string;
  readonly clientId: string;
  readonly grant: 'authorization_code' | 'refresh_token';
  /** When the person signed in, epoch milliseconds; absent: not known. */
  readonly authenticatedAt?: number;
  /** Hydra's login session; absent: not known. */
  readonly loginSid?: string;
  /** What the consent page noted. */
  readonly noted?: RequestOrigin & { readonly deviceName?: string };
  /** The policy that judges the family. */
  readonly policyId?: string;
}

/**
 * Notes a grant, or a refresh of it. A refresh of a family that the registry does not know is from before it: its life begins with the
 * sign-in.
 *
 * @param now epoch milliseconds
 * @returns false where the family ended: its token must be refused
 */
export async function followGrant(pool: pg.Pool, grant: HydraGrant, now: number): Promise<boolean> {
  const isRefresh = grant.grant === 'refresh_token';
  if (isRefresh && (await noteRefresh(pool, grant.consent, now))) return true;
  const signedInAt = Math.min(grant.authenticatedAt ?? now, now);
  const started = await startFamily(pool, {
    ...grant.noted,
    familyId: randomUUID(),
    identityId: grant.identityId,
    clientId: grant.clientId,
    from: { hydraConsent: grant.consent },
    signedInAt,
    createdAt: isRefresh ? signedInAt : now,
    ...given({ policyId: grant.policyId }),
  });
  // Another refresh may have been first.
  return isRefresh ? noteRefresh(pool, grant.consent, now) : started || isLive(pool, grant.consent);
}

/** @returns whether a live family was used */
async function noteRefresh(pool: pg.Pool, consent: string, now: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE refresh_family SET last_used_at = greatest(last_used_at, $2)
     WHERE hydra_consent = $1 AND ended_at IS NULL`,
    [consent, new Date(now)],
  );
  return rowCount === 1;
}

async function isLive(pool: pg.Pool, consent: string): Promise<boolean> {
  const { rows } = await pool.query(
    'SELECT FROM refresh_family WHERE hydra_consent = $1 AND ended_at IS NULL',
    [consent],
  );
  return rows.length === 1;
}
