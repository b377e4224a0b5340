/**
 * Delivers what dead processes left behind: signs of life that are in PostgreSQL, and of which no workflow
 * was told. Every worker does this, because without workers no workflow could act on a return anyway.
 */
import type pg from 'pg';
import { doEach, type PassReports, type Running, startPasses, unlessNothing } from '../process/passes.js';
import { closeClaim, takeOverClaims } from './claims-table.js';
import type { IdentitySign } from './identity-sign.js';

export interface ClaimSweepOptions {
  readonly pool: pg.Pool;
  readonly tell: (sign: IdentitySign) => Promise<void>;
  /**
   * How long a claim belongs to its first owner, milliseconds. Longer than a gateway waits for Temporal, and
   * longer than the statement takes that records a sign.
   */
  readonly graceMs?: number;
}

/** Longer than the client's `requestTimeoutMs`. */
const defaultGraceMs = 15_000;
const everyMs = 2_000;
/** Most claims taken over at a time: the number that one worker handles within the grace. */
const atMost = 500;

/**
 * One pass. A claim is closed when its workflow was told of every sign. A claim whose workflow can't be told
 * is taken over again after the grace.
 * @returns how many signs of life were told, and how many identities failed
 */
export async function sweepClaims(options: ClaimSweepOptions): Promise<{ told: number; failed: number }> {
  const { pool, tell } = options;
  const taken = await takeOverClaims(pool, options.graceMs ?? defaultGraceMs, atMost);
  const { done, failed } = await doEach(taken.identityIds, async (identityId) => {
    const signs = taken.signs.filter((missed) => missed.identityId === identityId);
    for (const sign of signs) await tell(sign);
    await closeClaim(pool, taken.id, identityId);
    return signs.length;
  });
  return { told: done, failed };
}

/** Sweeps at once and then every two seconds, also after failures. */
export function startClaimSweep(
  options: ClaimSweepOptions & PassReports<{ told: number; failed: number }>,
): Running {
  return startPasses({
    everyMs,
    pass: async () => unlessNothing(await sweepClaims(options)),
    ...options,
  });
}
