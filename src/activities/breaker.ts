/** The activity that each destructive rung passes first (design, invariant 7). Safe to repeat. */
import type pg from 'pg';
import { clockProblem } from '../domain/breaker/clocks.js';
import { feedHealth } from '../domain/breaker/feed.js';
import { allowedActs, type BreakerRules } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { formatDuration } from '../domain/duration.js';
import { readFeed } from '../store/activity-feed.js';
import { newestLostSign } from '../store/activity-marks.js';
import { tripAndAudit } from '../store/breaker/decisions.js';
import {
  type Act,
  advanceClock,
  countGrants,
  grant,
  isGranted,
  latestClock,
  population,
  takePasses,
} from '../store/breaker/grants.js';
import { activeTrips, feedOutages, lastRelease, lockBreaker } from '../store/breaker/trips.js';
import { inTransaction } from '../store/pool.js';
import type { Clock } from './clock.js';
import type { ClockWitness } from './clock-witness.js';

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
}

export type BreakerAnswer =
  | { readonly outcome: 'granted' }
  | { readonly outcome: 'held'; readonly trip: Trip };

type NewTrip = Omit<Trip, 'id' | 'trippedAt' | 'operators'>;

export function createBreakerActivities(deps: BreakerDependencies) {
  return {
    /** Whether the act may be carried out now. Counts it once, however often it asks. */
    async passBreaker(request: BreakerRequest): Promise<BreakerAnswer> {
      const now = await deps.clock.now();
      const testimony = await deps.witness?.testify(now);
      return inTransaction(deps.pool, async (client): Promise<BreakerAnswer> => {
        await lockBreaker(client);
        const { rules, action } = request;
        const trips = await activeTrips(client, [action, 'all']);
        const [oldest] = trips;
        if (oldest !== undefined) {
          const passes = await takePasses(
            client,
            request,
            trips.map(({ id }) => id),
          );
          if (!passes) return { outcome: 'held', trip: oldest };
          await grant(client, request, now, now - 2 * rules.windowMs);
          return { outcome: 'granted' };
        }
        const isCounted = await isGranted(client, request.key);
        const found =
          (await reasonToDoubt(client, request, { now, testimony })) ??
          (isCounted ? undefined : await limitTrip(client, request, now));
        if (found !== undefined) {
          const wanted = { ...found, trippedAt: now, operators: rules.operators };
          return { outcome: 'held', trip: await tripAndAudit(client, wanted) };
        }
        await grant(client, request, now, now - 2 * rules.windowMs);
        if (testimony !== undefined) await advanceClock(client, now);
        return { outcome: 'granted' };
      });
    },
  };
}

export type BreakerActivities = ReturnType<typeof createBreakerActivities>;

type Testimony = Awaited<ReturnType<ClockWitness['testify']>>;

/** Causes that make every act doubtful, also one that is tried again. */
async function reasonToDoubt(
  client: pg.PoolClient,
  request: BreakerRequest,
  { now, testimony }: { readonly now: number; readonly testimony: Testimony | undefined },
): Promise<NewTrip | undefined> {
  const { rules, decidedAt } = request;
  const byClock =
    testimony === undefined
      ? undefined
      : await clockTrip(client, { ...testimony, wallAt: now, decidedAt }, rules);
  return byClock ?? (await lossTrip(client)) ?? (await feedTrip(client, rules, now));
}

async function clockTrip(
  client: pg.PoolClient,
  reading: Omit<Parameters<typeof clockProblem>[0], 'latestKnownAt'>,
  rules: BreakerRules,
): Promise<NewTrip | undefined> {
  const latestKnownAt = await latestClock(client);
  const why = clockProblem(
    { ...reading, ...(latestKnownAt === undefined ? {} : { latestKnownAt }) },
    rules.clockToleranceMs,
  );
  return why === undefined ? undefined : { scope: 'all', cause: 'clock', why };
}

async function lossTrip(client: pg.PoolClient): Promise<NewTrip | undefined> {
  const lostAt = await newestLostSign(client);
  if (lostAt === undefined) return undefined;
  const why = `a sign of life of ${new Date(lostAt).toISOString()} was recorded, and PostgreSQL does not hold it any more`;
  return { scope: 'all', cause: 'restored', why };
}

async function feedTrip(
  client: pg.PoolClient,
  { stall }: BreakerRules,
  now: number,
): Promise<NewTrip | undefined> {
  if (stall === undefined) return undefined;
  const from = now - stall.windowMs - stall.baselineMs;
  const health = feedHealth(
    await readFeed(client, from, now),
    stall,
    now,
    await feedOutages(client, from, stall.windowMs),
  );
  if (!health.stalled) return undefined;
  const window = formatDuration(stall.windowMs);
  const why = `${health.received} signs of life in the last ${window}; the quietest ${window} before had ${health.quietest}`;
  return { scope: 'all', cause: 'feed-stalled', why };
}

async function limitTrip(
  client: pg.PoolClient,
  { rules, action }: BreakerRequest,
  now: number,
): Promise<NewTrip | undefined> {
  const released = (await lastRelease(client, 'limit', action)) ?? 0;
  const done = await countGrants(client, action, Math.max(now - rules.windowMs, released));
  const people = await population(client);
  const allowed = allowedActs(rules, action, people);
  if (done < allowed) return undefined;
  const why = `${done} × ${action} within ${formatDuration(rules.windowMs)}; allowed are ${allowed} of ${people} identities`;
  return { scope: action, cause: 'limit', why };
}
