/**
 * The activity that each destructive rung passes first (docs/architecture.md, invariant 7). Safe to repeat.
 * What it reads under the lock does not grow with the number of requests, grants or identities.
 */
import type pg from 'pg';
import { type Ask, askBreaker, forgetOldGrants, giveGrantBack, type Verdict } from '../breaker/asking.js';
import type { ClockWitness } from '../breaker/clock-witness.js';
import { tripAndAudit } from '../breaker/decisions.js';
import { Doubts, type NewTrip, readDoubt } from '../breaker/doubts.js';
import { type Act, population } from '../breaker/grants-table.js';
import { tripIfRestored, type WrittenBefore } from '../breaker/restored-database.js';
import { lockBreaker, readTrip } from '../breaker/trips-table.js';
import { allowedActs, type BreakerRules } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { formatDuration } from '../domain/duration.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { inTransaction } from '../postgres/pool.js';
import { inBatches } from '../process/batches.js';
import type { Clock } from '../process/clock.js';

export interface BreakerDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** Absent: clocks are not compared. */
  readonly witness?: ClockWitness;
}

export interface BreakerRequest extends Act {
  readonly rules: BreakerRules;
  /** When the workflow decided, by Temporal's clock. Epoch milliseconds. */
  readonly decidedAt: number;
  /** Absent: nothing was recorded yet, or an earlier build asks. */
  readonly previous?: WrittenBefore;
}

export type BreakerAnswer =
  | { readonly outcome: 'granted' }
  | { readonly outcome: 'held'; readonly trip: Trip };

/** Most acts that one call decides: this takes some milliseconds, and others wait for the lock meanwhile. */
const batchAtMost = 100;
/** How long one process caches the number of identities, and how often it deletes old grants. */
const minuteMs = 60_000;

export function createBreakerActivities(deps: BreakerDependencies) {
  const { pool, clock } = deps;
  const doubts = new Doubts(deps);
  const people = new Headcount(pool);
  const tidyUp = occasionally((windowMs, now) => forgetOldGrants(pool, windowMs, now));
  const ask = inBatches<Ask, Verdict>(async (asks) => askBreaker(pool, asks, await clock.now()), batchAtMost);

  return {
    /** Whether the act may be carried out now. Counts the act once, however often it is requested. */
    async passBreaker(request: BreakerRequest): Promise<BreakerAnswer> {
      const now = await clock.now();
      const { identityId, previous } = request;
      // guard: breaker: a restored database lets nothing pass
      if (previous !== undefined) await tripIfRestored(pool, identityId, previous, now);
      await tidyUp(request.rules.windowMs, now);
      const doubt = await doubts.find(request, now);
      const wanted = askOf(request, await people.count(now), doubt !== undefined);
      const verdict = await ask(wanted);
      if (verdict.outcome === 'granted') return verdict;
      if (verdict.outcome === 'held') return heldBy(pool, verdict.tripId);
      return decideUnderLock(deps, doubts, request, wanted);
    },

    /**
     * A granted act will not be carried out, so another may take its place. An act that
     * had an effect keeps its place.
     */
    async giveGrantBack({ key }: Pick<Act, 'key'>): Promise<void> {
      await giveGrantBack(pool, key);
    },
  };
}

export type BreakerActivities = ReturnType<typeof createBreakerActivities>;

/** A problem with one request must not fail the others decided in the same call. */
function askOf({ rules, ...request }: BreakerRequest, people: number, isDoubted: boolean): Ask {
  return {
    key: request.key,
    action: request.action,
    identityId: parseIdentityId(request.identityId),
    windowMs: rules.windowMs,
    allowed: allowedActs(rules, request.action, people),
    isDoubted,
  };
}

async function heldBy(client: pg.Pool | pg.PoolClient, tripId: number): Promise<BreakerAnswer> {
  const trip = await readTrip(client, tripId);
  if (trip === undefined) throw new Error(`there is no trip ${tripId}`);
  return { outcome: 'held', trip };
}

/**
 * The breaker is about to trip: everything is read again under the lock, so that no trip rests on a cached
 * value or on something that an operator has decided meanwhile.
 */
async function decideUnderLock(
  { pool, clock, witness }: BreakerDependencies,
  doubts: Doubts,
  request: BreakerRequest,
  wanted: Ask,
): Promise<BreakerAnswer> {
  const now = await clock.now();
  const testimony = await witness?.testify(now);
  return inTransaction(pool, async (client): Promise<BreakerAnswer> => {
    await lockBreaker(client);
    // Usually another worker has tripped it in between.
    const first = await askOne(client, wanted, now);
    if (first.outcome === 'granted') return first;
    if (first.outcome === 'held') return heldBy(client, first.tripId);
    const doubt = await readDoubt(client, request, { now, testimony });
    doubts.forget();
    const people = await population(client);
    const verdict = await askOne(client, askOf(request, people, doubt !== undefined), now);
    if (verdict.outcome === 'granted') return verdict;
    if (verdict.outcome === 'held') return heldBy(client, verdict.tripId);
    const found = verdict.outcome === 'limit' ? limitTrip(request, verdict.done, people) : doubt;
    if (found === undefined) throw new Error('the breaker holds an act for no reason');
    const trip = { ...found, trippedAt: now, operators: request.rules.operators };
    return { outcome: 'held', trip: await tripAndAudit(client, trip) };
  });
}

async function askOne(client: pg.PoolClient, wanted: Ask, now: number): Promise<Verdict> {
  const [verdict] = await askBreaker(client, [wanted], now);
  if (verdict === undefined) throw new Error('the breaker gave no answer');
  return verdict;
}

function limitTrip({ rules, action }: BreakerRequest, done: number, people: number): NewTrip {
  const allowed = allowedActs(rules, action, people);
  const why = `${done} × ${action} within ${formatDuration(rules.windowMs)}; allowed are ${allowed} of ${people} identities`;
  return { scope: action, cause: 'limit', why };
}

/** The number of identities, at most a minute old. Before the breaker trips by it, it is counted again. */
class Headcount {
  private known: { readonly at: number; readonly count: Promise<number> } | undefined;

  constructor(private readonly pool: pg.Pool) {}

  count(now: number): Promise<number> {
    if (this.known !== undefined && Math.abs(now - this.known.at) < minuteMs) return this.known.count;
    const count = population(this.pool);
    this.known = { at: now, count };
    count.catch(() => {
      this.known = undefined;
    });
    return count;
  }
}

/** Once a minute, and at once for a window longer than any before. */
function occasionally(
  work: (windowMs: number, now: number) => Promise<void>,
): (windowMs: number, now: number) => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  let longestMs = 0;
  return async (windowMs, now) => {
    if (Math.abs(now - last) < minuteMs && windowMs <= longestMs) return;
    last = now;
    longestMs = Math.max(longestMs, windowMs);
    await work(longestMs, now);
  };
}
