/** The breaker before batches of token ends, on real PostgreSQL: all of a sweep or none, held and released by operators. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { giveGrantsBack, useGrant, useGrants } from '../../src/breaker/asking.js';
import { type BatchRequest, createBatchBreaker } from '../../src/breaker/batches.js';
import { approveRelease, proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { endInBatches } from '../../src/breaker/end-in-batches.js';
import { countGrants } from '../../src/breaker/grants-table.js';
import { breakerOverview } from '../../src/breaker/overview.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import {
  forgetWaitingTokens,
  type WaitingToken,
  waitingTokens,
} from '../../src/breaker/waiting-tokens-table.js';
import { installationId } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { rulesOf } from '../support/breaker-rules.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

const start = Date.UTC(2030, 0, 1);
const rules = rulesOf(5);
let database: FreshDatabase;
let now = start;
beforeAll(async () => {
  database = await openFreshDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  now = start;
  await database.pool.query(
    'TRUNCATE breaker_grant, breaker_trip, breaker_release, breaker_release_vote, breaker_pass, breaker_clock, breaker_waiting_token, activity_feed, activity_mark, standing',
  );
});

const clock = { now: () => Promise.resolve(now) };
const pass = (more: Partial<BatchRequest> & Pick<BatchRequest, 'acts'>) =>
  createBatchBreaker({ pool: database.pool, clock })({
    ...{ action: 'endPersonal', due: more.acts.length, rules, decidedAt: now },
    ...more,
  });
const acts = (count: number, identityId = randomUUID()) =>
  Array.from({ length: count }, () => ({ key: randomUUID(), identityId }));
const shown = ({ key }: { key: string }) => ({ token: key.slice(0, 8), why: 'unused' });
const release = (tripId: number, more: { identities?: readonly string[]; actor?: string } = {}) =>
  proposeRelease(database.pool, { tripId, actor: 'op-1', reason: 'a test', at: now, ...more });

it('lets pass as many as the limit allows, and of one more none, whose number the trip says', async () => {
  expect((await pass({ acts: acts(5) })).granted.size).toBe(5);
  now += dayMs;
  const answer = await pass({ acts: acts(6) });
  expect(answer).toMatchObject({
    granted: new Set(),
    trip: { scope: 'endPersonal', cause: 'limit', acts: 6 },
  });
  expect(await countGrants(database.pool, 'endPersonal', start + 1)).toBe(0);
  expect(await readAudit(database.pool, installationId)).toContainEqual(
    expect.objectContaining({
      eventType: 'breaker_tripped',
      detail: {
        scope: 'endPersonal',
        why: '6 × endPersonal are due at once, after 0 within 1d; allowed are 5 (0 identities)',
      },
    }),
  );
});

it('counts what the sweep has yet to ask for: the first batch of a hundred is held, though it is small', async () => {
  expect((await pass({ acts: acts(3), due: 100 })).granted.size).toBe(0);
  expect(await activeTrips(database.pool)).toMatchObject([{ acts: 100 }]);
});

it('counts ends of a day together, and an end that is tried again once', async () => {
  const first = acts(3);
  await pass({ acts: first });
  expect((await pass({ acts: first })).granted.size).toBe(3);
  expect((await pass({ acts: acts(2) })).granted.size).toBe(2);
  expect((await pass({ acts: acts(1) })).granted.size).toBe(0);
  // What was let through within the limit is not stopped by it.
  expect((await pass({ acts: first })).granted.size).toBe(3);
});

it('has a limit of its own for each kind, beside that of lifecycles', async () => {
  await pass({ acts: acts(6) });
  expect((await pass({ acts: acts(5), action: 'endRefresh' })).granted.size).toBe(5);
  expect(await activeTrips(database.pool)).toMatchObject([{ scope: 'endPersonal' }]);
});

it('lets what was held pass after a release of all, with an ordinary day on top, and no more', async () => {
  const batch = acts(40);
  const { trip } = await pass({ acts: batch });
  now += dayMs / 24;
  expect((await pass({ acts: batch })).granted.size).toBe(0);
  await release(trip?.id ?? 0);
  expect((await pass({ acts: batch })).granted.size).toBe(40);
  expect((await pass({ acts: acts(5) })).granted.size).toBe(5);
  expect((await pass({ acts: acts(1) })).trip).toMatchObject({ cause: 'limit', acts: 1 });
});

it('allows no more than an ordinary day once the window of a release is over', async () => {
  const { trip } = await pass({ acts: acts(40) });
  await release(trip?.id ?? 0);
  now += dayMs;
  expect((await pass({ acts: acts(6) })).granted.size).toBe(0);
});

it('lets all tokens of a listed identity end while the trip stays, and keeps its pass for its lifecycle', async () => {
  const [listed, other] = [randomUUID(), randomUUID()];
  const trip = await inTransaction(database.pool, (client) =>
    tripAndAudit(client, {
      ...{ scope: 'all', cause: 'operator', why: 'a test', trippedAt: now, operators: 1 },
    }),
  );
  await release(trip.id, { identities: [listed] });
  const [ofListed, ofOther] = [acts(7, listed), acts(2, other)];
  const answer = await pass({ acts: [...ofListed, ...ofOther] });
  expect(answer.granted).toEqual(new Set(ofListed.map(({ key }) => key)));
  expect(answer.trip).toMatchObject({ id: trip.id });
  const used = await useGrants(database.pool, 'endPersonal', [...ofListed, ...ofOther], now);
  expect(used).toEqual(answer.granted);
  const revoke = { key: 'revoke', action: 'revoke', identityId: listed } as const;
  expect(await useGrant(database.pool, revoke, now)).toEqual({ outcome: 'not-granted' });
  expect(await useGrant(database.pool, { ...revoke, identityId: other }, now)).toEqual({
    outcome: 'held',
    tripId: trip.id,
  });
});

it('needs two operators where the policy says so', async () => {
  const strict = { ...rules, operators: 2 };
  const batch = acts(6);
  const { trip } = await pass({ acts: batch, rules: strict });
  const { id: releaseId } = await release(trip?.id ?? 0);
  expect((await pass({ acts: batch, rules: strict })).granted.size).toBe(0);
  await approveRelease(database.pool, { releaseId, actor: 'op-2', at: now });
  expect((await pass({ acts: batch, rules: strict })).granted.size).toBe(6);
});

it('ends nothing where the clock is wrong, and stops everything', async () => {
  const witness = { testify: () => Promise.resolve({ databaseAt: now - dayMs }) };
  const wrong = createBatchBreaker({ pool: database.pool, clock, witness });
  const answer = await wrong({ action: 'endRefresh', acts: acts(1), due: 1, rules, decidedAt: now });
  expect(answer).toMatchObject({ granted: new Set(), trip: { scope: 'all', cause: 'clock' } });
});

it('two sweeps at once exceed no limit', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => pass({ acts: acts(2) })));
  expect(answers.reduce((sum, { granted }) => sum + granted.size, 0)).toBe(4);
});

it('a place that no end used is given back, and one that an end used is not', async () => {
  const [kept, back] = acts(2);
  if (kept === undefined || back === undefined) throw new Error('no acts');
  await pass({ acts: [kept, back] });
  expect(await useGrants(database.pool, 'endPersonal', [kept], now)).toEqual(new Set([kept.key]));
  await giveGrantsBack(database.pool, [kept.key, back.key]);
  expect(await countGrants(database.pool, 'endPersonal', 0)).toBe(1);
  expect(await useGrants(database.pool, 'endPersonal', [back], now)).toEqual(new Set());
});

it('a trip between two batches holds the second', async () => {
  const due = acts(501);
  const ended: string[] = [];
  const held = await endInBatches(
    {
      ...{ pool: database.pool, pass: createBatchBreaker({ pool: database.pool, clock }) },
      ...{
        action: 'endPersonal',
        rules: rulesOf(1_000),
        decidedAt: now,
        of: 'default',
        isWhole: true,
        shown,
      },
      end: async (batch) => {
        ended.push(...(await useGrants(database.pool, 'endPersonal', batch, now)));
        await inTransaction(database.pool, (client) =>
          tripAndAudit(client, {
            ...{ scope: 'endPersonal', cause: 'operator', why: 'a test', trippedAt: now, operators: 1 },
          }),
        );
        return true;
      },
    },
    due,
  );
  expect([ended.length, held]).toEqual([500, 1]);
});

describe('tokens that wait', () => {
  const sweep = async (
    due: readonly { key: string; identityId: string }[],
    { of = 'default', goesOn = true, isWhole = true } = {},
  ) => {
    const ended: string[] = [];
    await endInBatches(
      {
        ...{ pool: database.pool, pass: createBatchBreaker({ pool: database.pool, clock }) },
        ...{ action: 'endRefresh', rules, decidedAt: now, of, isWhole, shown },
        end: async (batch) => {
          const used = await useGrants(database.pool, 'endRefresh', batch, now);
          ended.push(...used);
          return goesOn;
        },
      },
      due,
    );
    return ended;
  };
  const listed = async () => {
    const found: WaitingToken[] = [];
    for await (const one of waitingTokens(database.pool, 2)) found.push(one);
    return found;
  };
  const tokensOf = async () => (await listed()).map(({ token }) => token).sort();
  const namesOf = (due: readonly { key: string }[]) => due.map((act) => shown(act).token).sort();
  const counted = async () => (await breakerOverview(database.pool, 0, now)).waitingTokens;

  it('are listed with owner, limit and sweep, page by page, since the sweep that found them first', async () => {
    const due = acts(7);
    expect(await sweep(due)).toEqual([]);
    now += 3_600_000;
    await sweep(due);
    expect(await tokensOf()).toEqual(namesOf(due));
    expect((await listed())[0]).toEqual({
      ...{ identityId: due[0]?.identityId, action: 'endRefresh', why: 'unused', sweep: 'endRefresh/default' },
      ...{ token: expect.stringMatching(/^[0-9a-f]{8}$/), waitsSince: start },
    });
    expect(await counted()).toBe(7);
  });

  it('that are no longer due are off the list of their sweep, and of no other', async () => {
    const due = acts(7);
    const others = acts(2);
    await sweep(due);
    await sweep(others, { of: 'strict' });
    now += 1;
    await sweep(due.slice(1));
    expect(await tokensOf()).toEqual(namesOf([...due.slice(1), ...others]));
    now += 1;
    await sweep([]);
    expect(await tokensOf()).toEqual(namesOf(others));
  });

  it('that a sweep did not come to, or did not look at, stay on the list', async () => {
    const due = acts(7);
    await sweep(due);
    const [trip] = await activeTrips(database.pool);
    await release(trip?.id ?? 0, { identities: [due[0]?.identityId ?? ''] });
    now += 1;
    const one = { key: randomUUID(), identityId: due[0]?.identityId ?? '' };
    expect(await sweep([one], { goesOn: false })).toEqual([one.key]);
    expect(await tokensOf()).toEqual(namesOf(due));
    now += 1;
    await sweep([], { isWhole: false });
    expect(await tokensOf()).toEqual(namesOf(due));
  });

  it('wait no more after a release, and end with the next sweep', async () => {
    const due = acts(7);
    await sweep(due);
    const [trip] = await activeTrips(database.pool);
    await release(trip?.id ?? 0);
    expect(await counted()).toBe(0);
    expect(await listed()).toEqual([]);
    now += 1;
    expect((await sweep(due)).sort()).toEqual(due.map(({ key }) => key).sort());
    const { rows } = await database.pool.query('SELECT FROM breaker_waiting_token');
    expect(rows).toEqual([]);
  });

  it('are forgotten with their owner', async () => {
    const due = [...acts(6), ...acts(1)];
    await sweep(due);
    await inTransaction(database.pool, (client) => forgetWaitingTokens(client, due[6]?.identityId ?? ''));
    expect(await tokensOf()).toEqual(namesOf(due.slice(0, 6)));
  });
});
