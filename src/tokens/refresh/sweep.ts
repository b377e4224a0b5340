/** Ends stale families of people who never come, and cleans the registry. Two sweeps at once are harmless: one ends each family. */
import type pg from 'pg';
import { useGrants } from '../../breaker/asking.js';
import type { PassBatch, TokenAct } from '../../breaker/batches.js';
import { endInBatches } from '../../breaker/end-in-batches.js';
import type { BreakerRules } from '../../domain/breaker/rules.js';
import type { Trip } from '../../domain/breaker/trip.js';
import { dayMs } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import { lastUseOf, type StaleReason, staleReason } from '../../domain/tokens/refresh-staleness.js';
import { endStale } from './end-stale.js';
import { endFamilies } from './families-table.js';
import type { JudgedBy } from './judged-by.js';
import {
  adoptFamilies,
  cutAddresses,
  forgetDeadFamilies,
  readPerhapsStale,
  readRevoked,
} from './sweep-table.js';

export interface RefreshSweepDependencies {
  readonly pool: pg.Pool;
  /** Called between two steps. */
  readonly onProgress?: () => void;
}

/** How ends pass the breaker. */
export interface RefreshBreaker {
  readonly pass: PassBatch;
  readonly rules: BreakerRules;
  /** It holds some. */
  readonly onHeld?: (trip: Trip, held: number) => void;
}

export interface SweptFamilies {
  readonly ended: number;
  /** Stale, and held by the breaker. */
  readonly held: number;
}

/** A stale family, with the key under which the breaker counts its end. After a use it is another one. */
interface DueFamily extends TokenAct {
  readonly familyId: string;
  readonly why: StaleReason;
}

const pageSize = 500;
/** An app has moved to a published policy once it started no family under its own for as long. */
const movedAfterMs = 7 * dayMs;

/** What one sweep keeps in memory. The next sweep continues with what exceeds it. */
const dueAtMost = 100_000;

/**
 * Ends the live families of one policy that are stale, also those of apps that moved to it. All of them are known before the breaker is asked for the first, so that a wrong
 * policy ends none.
 * @param breaker absent for a policy of the app's own, whose ends the app answers for
 * @param now epoch milliseconds
 */
export async function endStaleFamilies(
  dependencies: RefreshSweepDependencies,
  judgedBy: JudgedBy,
  now: number,
  breaker?: RefreshBreaker,
): Promise<SweptFamilies> {
  const { pool, onProgress } = dependencies;
  const { reference } = judgedBy;
  const adopt = () => (reference === undefined ? 0 : adoptFamilies(pool, reference.id, now - movedAfterMs));
  while ((await adopt()) > 0) onProgress?.();
  const due = await staleFamilies(dependencies, judgedBy, now);
  if (breaker === undefined) return { ended: await endDue(pool, judgedBy, due, now), held: 0 };
  const { pass, rules, onHeld } = breaker;
  const action = 'endRefresh';
  let ended = 0;
  const held = await endInBatches(
    {
      ...{ pool, pass, action, rules, decidedAt: now, ...(onHeld && { onHeld }) },
      of: reference?.id ?? 'own',
      isWhole: due.length < dueAtMost,
      shown: ({ familyId, why }) => ({ token: familyId, why }),
      end: async (acts) => {
        dependencies.onProgress?.();
        const used = await useGrants(pool, action, acts, now);
        ended += await endDue(
          pool,
          judgedBy,
          acts.filter(({ key }) => used.has(key)),
          now,
        );
        return true;
      },
    },
    due,
  );
  return { ended, held };
}

/** Judges the live families of one policy. */
export async function staleFamilies(
  { pool, onProgress }: RefreshSweepDependencies,
  { policy, reference }: JudgedBy,
  now: number,
): Promise<DueFamily[]> {
  const due: DueFamily[] = [];
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
    for (const { family, personActiveAt } of page) {
      const why = staleReason(family, personActiveAt, policy, now);
      const { familyId, identityId } = family;
      if (why === undefined) continue;
      due.push({ key: `endRefresh/${familyId}/${lastUseOf(family)}`, identityId, familyId, why });
    }
    after = page.at(-1)?.family.familyId;
    if (page.length < pageSize || due.length >= dueAtMost) return due;
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

/** By reason, and page by page: one statement ends a page's. @returns how many ended */
async function endDue(
  pool: pg.Pool,
  judgedBy: JudgedBy,
  due: readonly DueFamily[],
  now: number,
): Promise<number> {
  let ended = 0;
  for (const why of new Set(due.map((family) => family.why))) {
    const ofReason = due.filter((family) => family.why === why);
    for (let from = 0; from < ofReason.length; from += pageSize) {
      const familyIds = ofReason.slice(from, from + pageSize).map(({ familyId }) => familyId);
      ended += await endStale(pool, judgedBy, { why, familyIds }, now);
    }
  }
  return ended;
}
