/**
 * Reasons to doubt every act: clocks, lost signs of life, a stalled feed. Read outside the breaker's lock.
 */
import type pg from 'pg';
import { clockProblem } from '../domain/breaker/clocks.js';
import { feedHealth } from '../domain/breaker/feed.js';
import type { BreakerRules } from '../domain/breaker/rules.js';
import type { Trip } from '../domain/breaker/trip.js';
import { formatDuration } from '../domain/duration.js';
import { readFeed } from '../signs/feed-table.js';
import { newestLostSign } from '../signs/marks-table.js';
import type { ClockWitness } from './clock-witness.js';
import { advanceClock, latestClock } from './grants-table.js';
import { feedOutages } from './trips-table.js';

export type NewTrip = Omit<Trip, 'id' | 'trippedAt' | 'operators'>;
export type Testimony = Awaited<ReturnType<ClockWitness['testify']>>;

/** The rules to check, and when the workflow decided, by Temporal's clock (epoch milliseconds). */
export interface Doubtful {
  readonly rules: BreakerRules;
  readonly decidedAt: number;
}

export interface DoubtDependencies {
  readonly pool: pg.Pool;
  /** Absent: clocks are not compared. */
  readonly witness?: ClockWitness;
}

/** How long one process caches what it read. The length of the backlog does not change how often it reads. */
export const believedMs = 5_000;

export class Doubts {
  /** By the rules that were checked: a handful. */
  private readonly known = new Map<string, { at: number; found: Promise<NewTrip | undefined> }>();

  constructor(private readonly deps: DoubtDependencies) {}

  /** @returns why nothing should pass, at most {@link believedMs} old */
  find({ rules, decidedAt }: Doubtful, now: number): Promise<NewTrip | undefined> {
    const ahead = this.deps.witness === undefined ? undefined : aheadTrip(rules, decidedAt, now);
    if (ahead !== undefined) return Promise.resolve(ahead);
    const key = JSON.stringify([rules.stall, rules.clockToleranceMs]);
    const known = this.known.get(key);
    // After a clock went back, the cache is read again too.
    if (known !== undefined && Math.abs(now - known.at) < believedMs) return known.found;
    const found = this.read(rules, now);
    this.known.set(key, { at: now, found });
    found.catch(() => this.known.delete(key));
    return found;
  }

  private async read(rules: BreakerRules, now: number): Promise<NewTrip | undefined> {
    const { pool, witness } = this.deps;
    const testimony = await witness?.testify(now);
    const doubt = await readDoubt(pool, { rules, decidedAt: now }, { now, testimony });
    if (testimony !== undefined && doubt?.cause !== 'clock') await advanceClock(pool, now);
    return doubt;
  }

  /** Clears the cache: what is read under the lock is newer. */
  forget(): void {
    this.known.clear();
  }
}

/** Reads it without the cache. @returns why nothing should pass */
export async function readDoubt(
  client: pg.Pool | pg.PoolClient,
  { rules, decidedAt }: Doubtful,
  { now, testimony }: { readonly now: number; readonly testimony: Testimony | undefined },
): Promise<NewTrip | undefined> {
  // guard: breaker: clocks are asked
  const byClock =
    testimony === undefined
      ? undefined
      : (aheadTrip(rules, decidedAt, now) ?? (await clockTrip(client, { ...testimony, wallAt: now }, rules)));
  // guard: breaker: signs of life that were lost
  return byClock ?? (await lossTrip(client)) ?? (await feedTrip(client, rules, now));
}

/** Reads nothing, so it is checked for every act. */
function aheadTrip(rules: BreakerRules, decidedAt: number, now: number): NewTrip | undefined {
  return clockDoubt({ wallAt: now, databaseAt: now, decidedAt }, rules);
}

async function clockTrip(
  client: pg.Pool | pg.PoolClient,
  reading: Testimony & { readonly wallAt: number },
  rules: BreakerRules,
): Promise<NewTrip | undefined> {
  const latestKnownAt = await latestClock(client);
  const known = latestKnownAt === undefined ? {} : { latestKnownAt };
  return clockDoubt({ ...reading, decidedAt: reading.wallAt, ...known }, rules);
}

function clockDoubt(
  reading: Parameters<typeof clockProblem>[0],
  { clockToleranceMs }: BreakerRules,
): NewTrip | undefined {
  const why = clockProblem(reading, clockToleranceMs);
  return why === undefined ? undefined : { scope: 'all', cause: 'clock', why };
}

async function lossTrip(client: pg.Pool | pg.PoolClient): Promise<NewTrip | undefined> {
  const lostAt = await newestLostSign(client);
  if (lostAt === undefined) return undefined;
  const why = `a sign of life of ${new Date(lostAt).toISOString()} was recorded, and PostgreSQL does not hold it any more`;
  return { scope: 'all', cause: 'restored', why };
}

async function feedTrip(
  client: pg.Pool | pg.PoolClient,
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
  // guard: breaker: the feed is asked
  if (!health.stalled) return undefined;
  const window = formatDuration(stall.windowMs);
  const why = `${health.received} signs of life in the last ${window}; the quietest ${window} before had ${health.quietest}`;
  return { scope: 'all', cause: 'feed-stalled', why };
}
