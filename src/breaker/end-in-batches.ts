/** Carries out the token ends of one sweep, batch by batch, as far as the breaker lets them pass. */
import type pg from 'pg';
import type { BreakerRules, TokenAction } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { giveGrantsBack } from './asking.js';
import type { PassBatch, TokenAct } from './batches.js';

export interface BatchedEnds<T extends TokenAct> {
  readonly pool: pg.Pool;
  readonly pass: PassBatch;
  readonly action: TokenAction;
  readonly rules: BreakerRules;
  /** When the tokens were judged, epoch milliseconds. */
  readonly decidedAt: number;
  /** Ends those that passed. Each uses its grant right before its effect. @returns whether to go on */
  readonly end: (acts: readonly T[]) => Promise<boolean>;
  /** The breaker holds some. */
  readonly onHeld?: (trip: Trip, held: number) => void;
}

/** The breaker's lock is held for one batch: some tens of milliseconds. */
const batchAtMost = 500;

/** @returns how many the breaker held */
export async function endInBatches<T extends TokenAct>(
  { pool, pass, action, rules, decidedAt, end, onHeld }: BatchedEnds<T>,
  due: readonly T[],
): Promise<number> {
  let held = 0;
  let trip: Trip | undefined;
  for (let from = 0; from < due.length; from += batchAtMost) {
    const acts = due.slice(from, from + batchAtMost);
    const asked = acts.map(({ key, identityId }) => ({ key, identityId }));
    const answer = await pass({ action, acts: asked, due: due.length - from, rules, decidedAt });
    held += acts.length - answer.granted.size;
    trip ??= answer.trip;
    const goesOn = await end(acts.filter(({ key }) => answer.granted.has(key)));
    // Those that were used meanwhile, or whose owners are exempt now, leave their places to others.
    await giveGrantsBack(pool, [...answer.granted]);
    if (!goesOn) break;
  }
  if (trip !== undefined) onHeld?.(trip, held);
  return held;
}
