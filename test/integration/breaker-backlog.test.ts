/** The breaker under a backlog, on the real PostgreSQL: exact and cheap under any number. */
import { randomUUID } from 'node:crypto';
import { type WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BreakerRequest, createBreakerActivities } from '../../src/activities/breaker.js';
import { askBreaker, forgetOldGrants, giveGrantBack, useGrant } from '../../src/breaker/asking.js';
import { proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { countGrants } from '../../src/breaker/grants-table.js';
import { wakeReleased } from '../../src/breaker/release-wake.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { takeReleased } from '../../src/breaker/wakes-table.js';
import { createPool, inTransaction } from '../../src/postgres/pool.js';
import { rulesOf } from '../support/breaker-rules.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

const day = 86_400_000;
const start = Date.UTC(2030, 0, 1);

let database: FreshDatabase;
let now = start;
beforeAll(async () => {
  database = await openFreshDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  now = start;
  await database.pool.query(
    'TRUNCATE breaker_grant, breaker_trip, breaker_release, breaker_pass, breaker_window CASCADE',
  );
});

const clock = { now: () => Promise.resolve(now) };
const request = (atMost: number, more: Partial<BreakerRequest> = {}): BreakerRequest => ({
  key: randomUUID(),
  identityId: randomUUID(),
  action: 'revoke',
  rules: rulesOf(atMost),
  decidedAt: now,
  ...more,
});
const breakerOn = (pool: pg.Pool) => createBreakerActivities({ pool, clock });

it('two thousand asks at once from several processes get exactly as many places as there are', async () => {
  const pools = Array.from({ length: 5 }, () =>
    createPool({ url: database.url, max: 4, connectTimeoutMs: 60_000 }),
  );
  const breakers = pools.map(breakerOn);
  const answers = await Promise.all(
    Array.from({ length: 2_000 }, (_, index) => breakers[index % 5]?.passBreaker(request(777))),
  );
  await Promise.all(pools.map((pool) => pool.end()));
  expect(answers.filter((answer) => answer?.outcome === 'granted')).toHaveLength(777);
  expect(answers.filter((answer) => answer?.outcome === 'held')).toHaveLength(1_223);
  expect(await countGrants(database.pool, 'revoke', 0)).toBe(777);
  expect(await activeTrips(database.pool)).toHaveLength(1);
});

it('separate calls, one at a time, also get exactly as many places as there are', async () => {
  const pools = Array.from({ length: 6 }, () =>
    createPool({ url: database.url, max: 4, connectTimeoutMs: 60_000 }),
  );
  const one = { action: 'revoke', windowMs: day, allowed: 50, isDoubted: false } as const;
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      askBreaker(
        pools[index % 6] ?? database.pool,
        [{ ...one, key: randomUUID(), identityId: randomUUID() }],
        now,
      ),
    ),
  );
  await Promise.all(pools.map((pool) => pool.end()));
  expect(answers.flat().filter(({ outcome }) => outcome === 'granted')).toHaveLength(50);
});

describe('what a backlog costs', () => {
  async function statementsOf(asks: number): Promise<number> {
    const pool = createPool({ url: database.url, max: 4 });
    const query = vi.spyOn(pool, 'query');
    const breaker = breakerOn(pool);
    await Promise.all(Array.from({ length: asks }, () => breaker.passBreaker(request(1_000_000))));
    await pool.end();
    return query.mock.calls.length;
  }

  it('one call decides for up to a hundred waiting acts, and reads everything else once', async () => {
    const few = await statementsOf(40);
    const many = await statementsOf(4_000);
    expect(many - few).toBeLessThanOrEqual(40);
  });

  it('a count reads no grants but those of the minute in which the window begins', async () => {
    await database.pool.query(
      `INSERT INTO breaker_grant (act_key, action, identity_id, granted_at)
       SELECT 'backlog/' || n, 'revoke', gen_random_uuid(), $1::timestamptz - n * interval '7 seconds'
       FROM generate_series(1, 10000) AS n`,
      [new Date(now)],
    );
    await database.pool.query('ANALYZE breaker_grant');
    const ask = { key: 'next', identityId: randomUUID(), action: 'revoke', windowMs: day } as const;
    const read = await inTransaction(database.pool, async (client) => {
      const [verdict] = await askBreaker(client, [{ ...ask, allowed: 1_000_000, isDoubted: false }], now);
      expect(verdict).toEqual({ outcome: 'granted' });
      const found = await client.query<{ rows: string }>(
        `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows
         FROM pg_stat_xact_user_tables WHERE relname = 'breaker_grant'`,
      );
      return Number(found.rows[0]?.rows);
    });
    expect(read).toBeLessThan(60);
  });

  it('the count is that of the grants, wherever the window begins, also after some were given back', async () => {
    await database.pool.query(
      `INSERT INTO breaker_grant (act_key, action, identity_id, granted_at)
       SELECT n::text, 'delete', gen_random_uuid(), $1::timestamptz + (n * n % 977) * interval '1.7 seconds'
       FROM generate_series(1, 300) AS n`,
      [new Date(now)],
    );
    for (let n = 3; n <= 300; n += 7) await giveGrantBack(database.pool, String(n));
    for (let seconds = -5; seconds < 1_700; seconds += 13) {
      const since = now + seconds * 1_000;
      const counted = await database.pool.query<{ count: string }>(
        "SELECT breaker_count('delete', $1) AS count",
        [new Date(since)],
      );
      expect(Number(counted.rows[0]?.count)).toBe(await countGrants(database.pool, 'delete', since));
    }
  });

  it('old grants are removed automatically, but none that a longer window of another policy counts', async () => {
    const breaker = breakerOn(database.pool);
    const long = { ...rulesOf(2), windowMs: 30 * day };
    await breaker.passBreaker(request(2, { rules: long }));
    now += 29 * day;
    // By a process that has never met the longer window.
    expect(await breakerOn(database.pool).passBreaker(request(1_000))).toEqual({ outcome: 'granted' });
    expect(await breaker.passBreaker(request(2, { rules: long }))).toMatchObject({ outcome: 'held' });
    now += 61 * day;
    await forgetOldGrants(database.pool, day, now);
    expect(await countGrants(database.pool, 'revoke', 0)).toBe(0);
    expect((await database.pool.query('SELECT * FROM breaker_tally')).rows).toEqual([]);
  });
});

it('one request that makes no sense fails alone', async () => {
  const breaker = breakerOn(database.pool);
  const [sound, broken, other] = await Promise.allSettled([
    breaker.passBreaker(request(5)),
    breaker.passBreaker(request(5, { identityId: 'nobody' })),
    breaker.passBreaker(request(5)),
  ]);
  expect([sound, broken, other].map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

it('a release by a clock that is ahead lets no more pass than any other', async () => {
  const breaker = breakerOn(database.pool);
  for (let i = 0; i < 3; i += 1) await breaker.passBreaker(request(2));
  const [trip] = await activeTrips(database.pool);
  const at = now + 120_000;
  await proposeRelease(database.pool, { tripId: trip?.id ?? 0, actor: 'op-1', reason: 'looked at it', at });
  const outcomes = [];
  for (let i = 0; i < 3; i += 1) outcomes.push((await breaker.passBreaker(request(2))).outcome);
  expect(outcomes).toEqual(['granted', 'granted', 'held']);
});

describe('a place in the limit', () => {
  it('that was never used is given back, and is another act’s then', async () => {
    const breaker = breakerOn(database.pool);
    const one = request(1);
    expect(await breaker.passBreaker(one)).toEqual({ outcome: 'granted' });
    await breaker.giveGrantBack({ key: one.key });
    await breaker.giveGrantBack({ key: one.key });
    expect(await breaker.passBreaker(request(1))).toEqual({ outcome: 'granted' });
    expect(await breaker.passBreaker(one), 'it asks anew').toMatchObject({ outcome: 'held' });
  });

  it('that was used is kept', async () => {
    const breaker = breakerOn(database.pool);
    const one = request(1);
    await breaker.passBreaker(one);
    expect(await useGrant(database.pool, one, now)).toEqual({ outcome: 'used' });
    await breaker.giveGrantBack({ key: one.key });
    // Another act first: the same one would only take its own place again.
    expect(await breaker.passBreaker(request(1)), 'another act').toMatchObject({ outcome: 'held' });
    expect(await breaker.passBreaker(one), 'the same act').toEqual({ outcome: 'granted' });
  });

  it('is kept by the act while the limit is tripped', async () => {
    const breaker = breakerOn(database.pool);
    const one = request(1);
    await breaker.passBreaker(one);
    expect(await breaker.passBreaker(request(1))).toMatchObject({
      outcome: 'held',
      trip: { cause: 'limit' },
    });
    expect(await breaker.passBreaker(one)).toEqual({ outcome: 'granted' });
    expect(await useGrant(database.pool, one, now)).toEqual({ outcome: 'used' });
  });
});

describe('after a release', () => {
  const held = async (count: number, action: string) => {
    const ids = Array.from({ length: count }, () => randomUUID());
    await database.pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, next_step, blocked_by, document, revision, updated_at, off_bottom, signal_window_ms)
       SELECT id, 'suspended', now(), now(), $2, 'breaker', '{}', 1, now(), true, 0 FROM unnest($1::uuid[]) AS id`,
      [ids, action],
    );
    return ids.sort();
  };
  const tripped = (scope: 'revoke' | 'all') =>
    inTransaction(database.pool, (client) =>
      tripAndAudit(client, { scope, cause: 'operator', why: 'a test', trippedAt: Date.now(), operators: 1 }),
    );
  const release = (tripId: number, identities?: string[]) =>
    proposeRelease(database.pool, {
      tripId,
      actor: 'op-1',
      reason: 'looked at it',
      at: Date.now(),
      ...(identities && { identities }),
    });
  beforeEach(() => database.pool.query('TRUNCATE standing, breaker_wake'));

  it('each waiting identity is woken once, by whichever worker is first', async () => {
    const trip = await tripped('revoke');
    const ids = await held(30, 'revoke');
    expect(await takeReleased(database.pool, 100), 'while it is tripped').toEqual([]);
    await release(trip.id);
    const taken = await Promise.all(Array.from({ length: 8 }, () => takeReleased(database.pool, 100)));
    expect(taken.flat().sort()).toEqual(ids);
    expect(await takeReleased(database.pool, 100)).toEqual([]);
  });

  it('of a list, only those on it are woken', async () => {
    const trip = await tripped('all');
    const [first = '', second = ''] = await held(3, 'delete');
    await release(trip.id, [first, second]);
    expect((await takeReleased(database.pool, 100)).sort()).toEqual([first, second]);
  });

  it('an identity that another trip still holds is not woken', async () => {
    const [trip] = [await tripped('revoke'), await tripped('all')];
    await held(2, 'revoke');
    await release(trip.id);
    expect(await takeReleased(database.pool, 100)).toEqual([]);
  });

  it('the next release wakes again the identities that the former release woke', async () => {
    const first = await tripped('revoke');
    const ids = await held(2, 'revoke');
    await release(first.id);
    await takeReleased(database.pool, 100);
    const second = await tripped('revoke');
    expect(await takeReleased(database.pool, 100)).toEqual([]);
    await release(second.id);
    expect((await takeReleased(database.pool, 100)).sort()).toEqual(ids);
  });

  it('a lifecycle unknown to Temporal, and one without an answer, hold up nobody', async () => {
    const trip = await tripped('revoke');
    const ids = await held(3, 'revoke');
    await release(trip.id);
    const told: string[] = [];
    const workflows = {
      getHandle: (workflowId: string) => ({
        async signal() {
          told.push(workflowId);
          if (told.length === 1) throw new WorkflowNotFoundError('not found', workflowId, undefined);
          if (told.length === 2) throw new Error('Temporal is away');
        },
      }),
    } as unknown as Pick<WorkflowClient, 'getHandle'>;
    expect(await wakeReleased({ pool: database.pool, workflows })).toEqual({ woken: 1, failed: 1 });
    expect(told).toHaveLength(ids.length);
  });
});
