/** Ends stale families of people who never come, and cleans the registry. Two sweeps at once are harmless: one ends each family. */
import type pg from 'pg';
import { dayMs } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { type StaleReason, staleReason } from '../../domain/tokens/refresh-staleness.js';
import { endStale } from './end-stale.js';
import { endFamilies } from './families-table.js';
import type { JudgedBy } from './judged-by.js';
import {
  adoptFamilies,
  cutAddresses,
  forgetDeadFamilies,
  type PerhapsStale,
  readPerhapsStale,
  readRevoked,
} from './sweep-table.js';

export interface RefreshSweepDependencies {
  readonly pool: pg.Pool;
  /** Called between two steps. */
  readonly onProgress?: () => void;
}

const pageSize = 500;
/** An app has moved to a published policy once it started no family under its own for as long. */
const movedAfterMs = 7 * dayMs;

/** Ends the live families of one policy that are stale, also those of apps that moved to it. @param now epoch milliseconds @returns how many */
export async function endStaleFamilies(
  { pool, onProgress }: RefreshSweepDependencies,
  judgedBy: JudgedBy,
  now: number,
): Promise<number> {
  const { policy, reference } = judgedBy;
  const adopt = () => (reference === undefined ? 0 : adoptFamilies(pool, reference.id, now - movedAfterMs));
  while ((await adopt()) > 0) onProgress?.();
  let ended = 0;
  let after: string | undefined;
  for (;;) {
    onProgress?.();
    const page = await readPerhapsStale(pool, {
      policyId: reference?.id ?? null,
      unusedSince: now - Math.min(policy.unused, policy.inactive),
      createdBefore: policy.longestLifetime === undefined ? 0 : now - policy.longestLifetime,
      limit: pageSize,
      ...given({ after }),
    });
    ended += await endPage(pool, judgedBy, page, now);
    after = page.at(-1)?.family.familyId;
    if (page.length < pageSize) return ended;
  }
}

/** Cuts old addresses of one policy, and removes what has served its time. */
export async function cleanFamilies(
  { pool, onProgress }: RefreshSweepDependencies,
  { policy, reference }: JudgedBy,
  now: number,
): Promise<{ readonly cut: number; readonly removed: number }> {
  const policyId = reference?.id ?? null;
  const untilNone = async (work: () => Promise<number>) => {
    let whole = 0;
    for (let done = -1; done !== 0; whole += done) {
      onProgress?.();
      done = await work();
    }
    return whole;
  };
  return {
    cut: await untilNone(() => cutAddresses(pool, policyId, now - policy.keepAddress)),
    removed: await untilNone(() => forgetDeadFamilies(pool, policyId, now - policy.keepDead)),
  };
}

/** Ends the families of identities whose tokens were revoked as a whole: they are refused already. @returns how many */
export async function endRevokedFamilies(
  { pool, onProgress }: RefreshSweepDependencies,
  now: number,
): Promise<number> {
  let ended = 0;
  for (;;) {
    onProgress?.();
    const page = await readRevoked(pool, pageSize);
    ended += (await endFamilies(pool, { familyIds: page, why: 'account' }, now)).length;
    if (page.length < pageSize) return ended;
  }
}

async function endPage(
  pool: pg.Pool,
  judgedBy: JudgedBy,
  page: readonly PerhapsStale[],
  now: number,
): Promise<number> {
  const byReason = new Map<StaleReason, string[]>();
  for (const { family, personActiveAt } of page) {
    const reason = staleReason(family, personActiveAt, judgedBy.policy, now);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), family.familyId]);
  }
  let ended = 0;
  for (const [why, familyIds] of byReason) {
    ended += await endStale(pool, judgedBy, { why, familyIds }, now);
  }
  return ended;
}
