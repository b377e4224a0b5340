/** Carries out the token ends of one sweep, batch by batch, as far as the breaker lets them pass. */
import type pg from 'pg';
import type { BreakerRules, TokenAction } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { giveGrantsBack } from './asking.js';
import type { PassBatch, TokenAct } from './batches.js';
import { forgetSettled, noteWaiting, type TokenShown } from './waiting-tokens-table.js';

export interface BatchedEnds<T extends TokenAct> {
  readonly pool: pg.Pool;
  readonly pass: PassBatch;
  readonly action: TokenAction;
  /** Which sweep it is: of one policy, or of one table of an app. */
  readonly of: string;
  /** Whether all tokens were looked at: what the list has besides no longer waits then. */
  readonly isWhole: boolean;
  /** What operators see of a token that waits. */
  readonly shown: (act: T) => TokenShown;
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
  { pool, pass, action, of, isWhole, shown, rules, decidedAt, end, onHeld }: BatchedEnds<T>,
  due: readonly T[],
): Promise<number> {
  let held = 0;
  let trip: Trip | undefined;
  let wentOn = true;
  const sweep = `${action}/${of}`;
  for (let from = 0; from < due.length; from += batchAtMost) {
    const acts = due.slice(from, from + batchAtMost);
    const asked = acts.map(({ key, identityId }) => ({ key, identityId }));
    const answer = await pass({ action, acts: asked, due: due.length - from, rules, decidedAt });
    const waiting = acts.filter(({ key }) => !answer.granted.has(key));
    held += waiting.length;
    trip ??= answer.trip;
    await noteWaiting(
      pool,
      { sweep, action },
      waiting.map((act) => ({ ...act, ...shown(act) })),
      decidedAt,
    );
    const goesOn = await end(acts.filter(({ key }) => answer.granted.has(key)));
    // Those that were used meanwhile, or whose owners are exempt now, leave their places to others.
    await giveGrantsBack(pool, [...answer.granted]);
    wentOn = goesOn;
    if (!goesOn) break;
  }
  // What was not asked for this time may wait still.
  if (isWhole && wentOn) await forgetSettled(pool, sweep, decidedAt);
  if (trip !== undefined) onHeld?.(trip, held);
  return held;
}
