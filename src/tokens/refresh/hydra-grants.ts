/** Families whose tokens Hydra issues: the registry follows its grants and refreshes, and refuses what ended. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { RefreshPolicy } from '../../domain/tokens/refresh-policy.js';
import { type RequestOrigin, staleReason } from '../../domain/tokens/refresh-staleness.js';
import { endStale } from './end-stale.js';
import { type FamilyRow, familyColumns, familyOf, personActive, startFamily } from './families-table.js';
import type { JudgedBy } from './judged-by.js';

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
}

/**
 * Notes a grant with a refresh token.
 * @param now epoch milliseconds
 * @returns false where its family ended: the token must be refused
 */
export async function followGrant(
  pool: pg.Pool,
  { reference }: JudgedBy,
  grant: HydraGrant,
  now: number,
): Promise<boolean> {
  const started = await startHydraFamily(pool, grant, { policyId: reference?.id, createdAt: now }, now);
  return started || !(await isEndedInRegistry(pool, grant.consent));
}

/**
 * Notes a refresh, unless a rule of the policy ends its family now. A family that the registry does not know is from before it: its life
 * begins with the sign-in, and this is its first known use.
 *
 * @param now epoch milliseconds
 * @returns false where the family ended: the token must be refused
 */
export async function followRefresh(
  pool: pg.Pool,
  judgedBy: JudgedBy,
  grant: HydraGrant,
  now: number,
): Promise<boolean> {
  const { policy, reference } = judgedBy;
  const { consent } = grant;
  if (await noteRefresh(pool, consent, now, surelyFresh(policy, now))) return true;
  let known = await readByConsent(pool, consent);
  const isNew = known === undefined;
  if (isNew) {
    const createdAt = Math.min(grant.authenticatedAt ?? now, now);
    await startHydraFamily(pool, grant, { policyId: reference?.id, createdAt }, now);
    known = await readByConsent(pool, consent);
  }
  if (known === undefined || known.family.ended !== undefined) return false;
  // A gateway whose clock is ahead would end what is in use.
  const judgedAt = Math.min(now, known.now);
  const family = isNew ? { ...known.family, lastUsedAt: judgedAt } : known.family;
  const why = staleReason(family, known.personActiveAt, policy, judgedAt);
  if (why !== undefined) {
    await endStale(pool, judgedBy, { why, familyIds: [known.family.familyId] }, judgedAt);
  }
  // It lives on where it, or its person, was used or seen since it was judged.
  return noteRefresh(pool, consent, now);
}

/** Whether the registry knows the consent's family as ended. */
export async function isEndedInRegistry(pool: pg.Pool, consent: string): Promise<boolean> {
  const { rows } = await pool.query(
    'SELECT FROM refresh_family WHERE hydra_consent = $1 AND ended_at IS NOT NULL',
    [consent],
  );
  return rows.length === 1;
}

/** @returns false where the consent has a family already */
function startHydraFamily(
  pool: pg.Pool,
  { noted, identityId, clientId, consent, authenticatedAt }: HydraGrant,
  { policyId, createdAt }: { readonly policyId: string | undefined; readonly createdAt: number },
  now: number,
): Promise<boolean> {
  return startFamily(pool, {
    ...noted,
    familyId: randomUUID(),
    identityId,
    clientId,
    from: { hydraConsent: consent },
    signedInAt: Math.min(authenticatedAt ?? now, now),
    createdAt,
    ...given({ policyId }),
  });
}

/** A family that was used, and created, after these moments is not stale by any rule. Epoch milliseconds. */
interface FreshBounds {
  readonly usedAfter: number;
  readonly createdAfter: number;
}

function surelyFresh({ unused, inactive, longestLifetime }: RefreshPolicy, now: number): FreshBounds {
  return {
    usedAfter: now - Math.min(unused, inactive),
    createdAfter: longestLifetime === undefined ? 0 : now - longestLifetime,
  };
}

/** @param bounds absent: however old it is @returns whether a live family was used */
async function noteRefresh(
  pool: pg.Pool,
  consent: string,
  now: number,
  { usedAfter, createdAfter }: FreshBounds = { usedAfter: 0, createdAfter: 0 },
): Promise<boolean> {
  // A use in the future, by a clock that is ahead, would keep the family alive for as long.
  const { rowCount } = await pool.query(
    // guard: refresh: a stale family of Hydra is not brought back by its refresh
    `UPDATE refresh_family SET last_used_at = greatest(last_used_at, least($2, clock_timestamp()))
     WHERE hydra_consent = $1 AND ended_at IS NULL AND greatest(last_used_at, created_at) > $3 AND created_at > $4`,
    [consent, new Date(now), new Date(usedAfter), new Date(createdAfter)],
  );
  return rowCount === 1;
}

async function readByConsent(pool: pg.Pool, consent: string) {
  const { rows } = await pool.query<
    FamilyRow & { readonly person_active_at: Date | null; readonly now: Date }
  >(
    `SELECT ${familyColumns}, ${personActive} AS person_active_at, clock_timestamp() AS now FROM refresh_family AS family
     WHERE family.hydra_consent = $1`,
    [consent],
  );
  const [row] = rows;
  return (
    row && {
      family: familyOf(row),
      personActiveAt: row.person_active_at?.getTime(),
      now: row.now.getTime(),
    }
  );
}
