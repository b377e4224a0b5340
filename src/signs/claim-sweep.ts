/**
 * Delivers what dead processes left behind: signs of life that are in PostgreSQL, and of which no workflow
 * was told. Every worker does this, because without workers no workflow could act on a return anyway.
 */
import pLimit from 'p-limit';
import type pg from 'pg';
import { type PassReports, type Running, startPasses } from '../process/passes.js';
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
const signalsAtOnce = 10;

/**
 * One pass. A claim is closed when its workflow was told of every sign. A claim whose workflow can't be told
 * is taken over again after the grace.
 * @returns how many signals were sent, and how many failed
 */
export async function sweepClaims(options: ClaimSweepOptions): Promise<{ told: number; failed: number }> {
  const { pool, tell } = options;
  const taken = await takeOverClaims(pool, options.graceMs ?? defaultGraceMs, atMost);
  const limit = pLimit(signalsAtOnce);
  let told = 0;
  let failed = 0;
  const handOn = async (identityId: string) => {
    try {
      for (const sign of taken.signs.filter((missed) => missed.identityId === identityId)) {
        await tell(sign);
        told += 1;
      }
      await closeClaim(pool, taken.id, identityId);
    } catch {
      failed += 1;
    }
  };
  await Promise.all(taken.identityIds.map((identityId) => limit(() => handOn(identityId))));
  return { told, failed };
}

/** Sweeps at once and then every two seconds, also after failures. */
export function startClaimSweep(
  options: ClaimSweepOptions & PassReports<{ told: number; failed: number }>,
): Running {
  return startPasses({
    everyMs,
    pass: async () => {
      const outcome = await sweepClaims(options);
      return outcome.told + outcome.failed > 0 ? outcome : undefined;
    },
    ...options,
  });
}
