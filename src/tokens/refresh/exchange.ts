/** The exchange of a refresh token of the app's own service: one lineage, whoever asks at once. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { judgeClaim } from '../../domain/tokens/refresh-claim.js';
import { type RequestOrigin, staleReason } from '../../domain/tokens/refresh-staleness.js';
import { inTransaction } from '../../postgres/pool.js';
import { readTokenStanding } from '../token-standings.js';
import { isOwnerAdmitted } from './admission.js';
import { endStale } from './end-stale.js';
import { claimToken, endFamilies, lockFamily, type RefreshFamily } from './families-table.js';
import type { JudgedBy } from './judged-by.js';
import { formatToken, parseToken, type RefreshToken, successorOf, validTokenOf } from './token.js';

export interface ExchangeDependencies {
  readonly pool: pg.Pool;
  /** 32 bytes that successors follow from. */
  readonly key: Buffer;
  /** Epoch milliseconds. Absent: the database's clock. */
  readonly clock?: () => number;
  /** Runs between validation and minting, for tests. */
  readonly beforeMint?: () => Promise<void>;
}

/** What a family's access token is minted from. */
export interface MintRequest {
  readonly identityId: string;
  readonly familyId: string;
  readonly clientId: string;
  /** When the person signed in, epoch milliseconds: `auth_time`. */
  readonly signedInAt: number;
  /** When the token was judged, epoch milliseconds. As `iat` it lets checkers refuse what a revocation overtook. */
  readonly issuedAt: number;
}

export type Mint<Minted> = (request: MintRequest) => Minted | Promise<Minted>;

/**
 * `unknown`: no token of this service. `ended`: its family ended before. `reuse`: it was exchanged before, so its family ends.
 * `unclear`: the clock was set back since it was exchanged, so nothing ends and nothing is handed out. `stale`: a rule of the policy ends its family. `account`: its owner may have no tokens.
 */
export type ExchangeRefusal = 'unknown' | 'ended' | 'reuse' | 'unclear' | 'stale' | 'account';

export type Exchange<Minted> =
  | {
      readonly granted: true;
      readonly identityId: string;
      readonly familyId: string;
      /** The refresh token that is valid from now on. */
      readonly refreshToken: string;
      readonly minted: Minted;
    }
  | { readonly granted: false; readonly why: ExchangeRefusal };

const refused = (why: ExchangeRefusal) => ({ granted: false, why }) as const;

/**
 * The family is locked from the first read to the commit. A revocation that came first is seen, and one that comes later waits until the
 * answer is decided. What revokes the identity as a whole takes no lock here, so the standing is read again after minting.
 *
 * @param mint makes the access token. When it throws, nothing was exchanged
 * @throws where PostgreSQL is away: nothing was decided, and the token may be presented again
 */
export async function exchangeToken<Minted>(
  { pool, key, clock, beforeMint }: ExchangeDependencies,
  judgedBy: JudgedBy,
  asked: { readonly token: unknown; readonly origin: RequestOrigin },
  mint: Mint<Minted>,
): Promise<Exchange<Minted>> {
  const { policy, reference } = judgedBy;
  const presented = parseToken(asked.token);
  if (presented === undefined) return refused('unknown');
  return inTransaction(pool, async (client) => {
    const locked = await lockFamily(client, presented.familyId);
    const valid = locked && validTokenOf(key, presented, locked.valid);
    if (locked === undefined || valid === undefined) return refused('unknown');
    const { family, standing, personActiveAt } = locked;
    if (family.ended !== undefined) return refused('ended');
    const now = Math.floor(clock?.() ?? locked.now);
    const familyIds = [family.familyId];
    const verdict = judgeClaim(
      {
        generation: presented.generation,
        currentGeneration: locked.valid.generation,
        claims: locked.valid.claims,
      },
      policy.grace,
      now,
    );
    if (verdict === 'reuse') {
      // guard: refresh: a reuse ends the family
      await endFamilies(client, { familyIds, why: 'reuse', ...given({ policy: reference }) }, now);
      return refused('reuse');
    }
    if (verdict === 'unclear') return refused('unclear');
    if (!isOwnerAdmitted(standing, family.signedInAt)) return refused('account');
    const stale = staleReason(family, personActiveAt, policy, now);
    if (stale !== undefined) {
      await endStale(client, judgedBy, { why: stale, familyIds }, now);
      return refused('stale');
    }
    await beforeMint?.();
    const minted = await mint(mintRequestOf(family, now));
    const after = await readTokenStanding(client, family.identityId);
    // guard: refresh: the standing is read again after minting
    if (!isOwnerAdmitted(after, family.signedInAt)) return refused('account');
    const next: RefreshToken = verdict === 'claim' ? successorOf(key, presented) : valid;
    if (
      verdict === 'claim' &&
      !(await claimToken(client, { presented, successor: next }, asked.origin, now))
    ) {
      return refused('ended');
    }
    const { identityId, familyId } = family;
    return { granted: true, identityId, familyId, refreshToken: formatToken(next), minted };
  });
}

function mintRequestOf(
  { identityId, familyId, clientId, signedInAt }: RefreshFamily,
  issuedAt: number,
): MintRequest {
  return { identityId, familyId, clientId, signedInAt, issuedAt };
}

/** The family of a genuine token, valid or exchanged before. For a sign-out, which changes nothing for a made-up one. */
export async function familyOfToken(
  { pool, key }: Pick<ExchangeDependencies, 'pool' | 'key'>,
  text: unknown,
): Promise<RefreshFamily | undefined> {
  const token = parseToken(text);
  if (token === undefined) return undefined;
  return inTransaction(pool, async (client) => {
    const locked = await lockFamily(client, token.familyId);
    return locked && validTokenOf(key, token, locked.valid) && locked.family;
  });
}
