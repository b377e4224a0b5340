/**
 * Asks the breaker for a batch of token ends, all or none: a sweep with a wrong clock, or under a wrong policy, is stopped before it
 * ends the first token. A person's own revocation, and the rules at a sign-in or a use, never ask.
 */
import type pg from 'pg';
import { allowedActs, type BreakerRules, type TokenAction } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { formatDuration } from '../domain/duration.js';
import { inTransaction } from '../postgres/pool.js';
import type { Clock } from '../process/clock.js';
import { askBreaker, forgetOldGrants, type Verdict } from './asking.js';
import type { ClockWitness } from './clock-witness.js';
import { tripAndAudit } from './decisions.js';
import { type NewTrip, readDoubt } from './doubts.js';
import { advanceClock, batchCount, population } from './grants-table.js';
import { activeTrips, lockBreaker, readTrip } from './trips-table.js';

export interface BatchDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Absent: clocks are not compared. */
  readonly witness?: ClockWitness;
}

/** The end of one token, or of one family of tokens. */
export interface TokenAct {
  /** The same for every attempt at the same end; another one after the token was used. */
  readonly key: string;
  /** Its owner. */
  readonly identityId: string;
}

export interface BatchRequest {
  readonly action: TokenAction;
  readonly acts: readonly TokenAct[];
  /** Ends that the sweep has yet to ask for, this batch among them. */
  readonly due: number;
  readonly rules: BreakerRules;
  /** When the tokens were judged, epoch milliseconds. */
  readonly decidedAt: number;
}

export interface BatchAnswer {
  /** The keys of the acts that may be carried out now. */
  readonly granted: ReadonlySet<string>;
  /** What holds the others. */
  readonly trip?: Trip;
}

export type PassBatch = (request: BatchRequest) => Promise<BatchAnswer>;

/** @returns the question to ask before each batch */
export function createBatchBreaker({ pool, clock, witness }: BatchDependencies): PassBatch {
  return async (request) => {
    const { rules, decidedAt } = request;
    const now = await clock.now();
    await forgetOldGrants(pool, rules.windowMs, now);
    const testimony = await witness?.testify(now);
    return inTransaction(pool, async (client) => {
      await lockBreaker(client);
      const doubt = await readDoubt(client, { rules, decidedAt }, { now, testimony });
      if (testimony !== undefined && doubt?.cause !== 'clock') await advanceClock(client, now);
      return decide(client, request, doubt, now);
    });
  };
}

async function decide(
  client: pg.PoolClient,
  request: BatchRequest,
  doubt: NewTrip | undefined,
  now: number,
): Promise<BatchAnswer> {
  const { action, acts, rules } = request;
  const limit = await limitOf(client, request, now);
  const trips = await activeTrips(client, [action, 'all']);
  // guard: breaker: ends of tokens stop where a clock is wrong
  const stop = doubt ?? (trips.length === 0 ? limit.trip : undefined);
  const held = async (): Promise<Trip | undefined> => {
    if (stop === undefined) return undefined;
    return tripAndAudit(client, { ...stop, trippedAt: now, operators: rules.operators });
  };
  if (trips.length === 0 && stop !== undefined) return answer([], acts, await held());
  const asks = acts.map((act) => ({
    ...{ ...act, action, windowMs: rules.windowMs },
    ...{ allowed: limit.allowed, isDoubted: doubt !== undefined },
  }));
  const verdicts = await askBreaker(client, asks, now);
  const tripped = verdicts.some(({ outcome }) => outcome === 'doubted') ? await held() : undefined;
  return answer(verdicts, acts, tripped ?? (await firstHeld(client, verdicts)));
}

/** How many more may end within the window, and the trip where the sweep has more than that. */
async function limitOf(
  client: pg.PoolClient,
  { action, acts, due, rules }: BatchRequest,
  now: number,
): Promise<{ readonly allowed: number; readonly trip?: NewTrip }> {
  const people = await population(client);
  const keys = acts.map(({ key }) => key);
  const { done, granted, released } = await batchCount(client, {
    action,
    keys,
    windowMs: rules.windowMs,
    now,
  });
  // What waited when operators released it comes on top of an ordinary day.
  // guard: breaker: a release allows what was held, and no more
  const allowed = allowedActs(rules, action, people) + released;
  // guard: breaker: a sweep that is over the limit as a whole ends none
  const fresh = due - granted;
  if (fresh === 0 || done + fresh <= allowed) return { allowed };
  const why = `${fresh} × ${action} are due at once, after ${done} within ${formatDuration(rules.windowMs)}; allowed are ${allowed} (${people} identities)`;
  return { allowed, trip: { scope: action, cause: 'limit', why, acts: fresh } };
}

async function firstHeld(client: pg.PoolClient, verdicts: readonly Verdict[]): Promise<Trip | undefined> {
  const first = verdicts.find((verdict) => verdict.outcome === 'held');
  return first?.outcome === 'held' ? readTrip(client, first.tripId) : undefined;
}

function answer(
  verdicts: readonly Verdict[],
  acts: readonly TokenAct[],
  trip: Trip | undefined,
): BatchAnswer {
  const granted = acts.filter((_, index) => verdicts[index]?.outcome === 'granted');
  return { granted: new Set(granted.map(({ key }) => key)), ...(trip && { trip }) };
}
