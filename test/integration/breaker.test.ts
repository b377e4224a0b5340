/** The breaker on the real PostgreSQL: exact under many workers, tripped by each cause, released only by decision. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  type BreakerActivities,
  type BreakerRequest,
  createBreakerActivities,
} from '../../src/activities/breaker.js';
import { createLedgerActivities } from '../../src/activities/ledger.js';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { createClockWitness } from '../../src/breaker/clock-witness.js';
import { approveRelease, proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { countGrants } from '../../src/breaker/grants-table.js';
import { breakerOverview, waitingForBreaker } from '../../src/breaker/overview.js';
import { ReleaseRefusedError } from '../../src/breaker/releases-table.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { readConfig } from '../../src/config.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { installationId } from '../../src/domain/audit-entry.js';
import type { BreakerRules } from '../../src/domain/breaker/rules.js';
import type { Standing } from '../../src/domain/standing.js';
import { PolicyReader } from '../../src/policies/policies-table.js';
import { createPool, inTransaction } from '../../src/postgres/pool.js';
import { countSigns, FeedMeter, readFeed } from '../../src/signs/feed-table.js';
import { keepMarks } from '../../src/signs/marks-table.js';
import { SignRecorder } from '../../src/signs/recorder.js';
import { forgetSigns } from '../../src/signs/signs-table.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { activityVariables, createActivitySet } from '../../src/worker/activity-set.js';
import { rulesOf } from '../support/breaker-rules.js';
import { publish } from '../support/publish.js';
import { recordSigns } from '../support/record-signs.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

const day = 86_400_000;
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
    'TRUNCATE breaker_grant, breaker_trip, breaker_release, breaker_release_vote, breaker_pass, breaker_clock, activity_feed, activity_mark, identity_activity, activity_signal, standing',
  );
});

const clock = { now: () => Promise.resolve(now) };
const request = (more: Partial<BreakerRequest> = {}): BreakerRequest => ({
  key: randomUUID(),
  identityId: randomUUID(),
  action: 'delete',
  rules,
  decidedAt: now,
  ...more,
});
const breaker = () => createBreakerActivities({ pool: database.pool, clock });
const pass = (more: Partial<BreakerRequest> = {}) => breaker().passBreaker(request(more));
async function passMany(count: number, more: Partial<BreakerRequest> = {}): Promise<string[]> {
  const outcomes = [];
  for (let i = 0; i < count; i += 1) outcomes.push((await pass(more)).outcome);
  return outcomes;
}
async function onlyTrip() {
  const trips = await activeTrips(database.pool);
  expect(trips).toHaveLength(1);
  return trips[0] ?? expect.fail('no trip');
}
const release =
  (more: Partial<Parameters<typeof proposeRelease>[1]> = {}) =>
  async (tripId: number) =>
    proposeRelease(database.pool, { tripId, actor: 'op-1', reason: 'looked at it', at: now, ...more });

describe('the limit', () => {
  it('lets so many pass, then none, and says why', async () => {
    expect(await passMany(7)).toEqual([...Array(5).fill('granted'), 'held', 'held']);
    const trip = await onlyTrip();
    expect(trip).toMatchObject({ scope: 'delete', cause: 'limit' });
    expect(trip.why).toBe('5 × delete within 1d; allowed are 5 of 0 identities');
    expect(await readAudit(database.pool, installationId)).toContainEqual(
      expect.objectContaining({ eventType: 'breaker_tripped', outcome: 'limit', actor: 'engine' }),
    );
  });

  it('is exact under many workers with connections of their own', async () => {
    const pools = Array.from({ length: 6 }, () => createPool({ url: database.url, max: 4 }));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        createBreakerActivities({ pool: pools[i % 6] ?? database.pool, clock }).passBreaker(request()),
      ),
    );
    await Promise.all(pools.map((pool) => pool.end()));
    expect(answers.filter(({ outcome }) => outcome === 'granted')).toHaveLength(5);
    expect(await countGrants(database.pool, 'delete', 0)).toBe(5);
    await onlyTrip();
  });

  it('counts an act once, however often it asks', async () => {
    const same = request();
    for (let i = 0; i < 10; i += 1) expect(await breaker().passBreaker(same)).toEqual({ outcome: 'granted' });
    expect(await passMany(4)).toEqual(Array(4).fill('granted'));
    // The limit is reached now; it does not hold acts that passed before.
    expect(await breaker().passBreaker(same)).toEqual({ outcome: 'granted' });
    expect(await countGrants(database.pool, 'delete', 0)).toBe(5);
  });

  it('holds one kind of act only', async () => {
    await passMany(6);
    expect(await passMany(1, { action: 'revoke' })).toEqual(['granted']);
  });

  it('rolls: acts older than the window do not count', async () => {
    await passMany(3);
    now += day - 1;
    await passMany(2);
    now += 1;
    expect(await passMany(3)).toEqual(['granted', 'granted', 'granted']);
    expect(await passMany(1)).toEqual(['held']);
  });

  it('stays tripped when the window is over, and after a restart', async () => {
    await passMany(6);
    now += 30 * day;
    expect(await passMany(1)).toEqual(['held']);
    const pool = createPool({ url: database.url });
    const restarted = createBreakerActivities({ pool, clock });
    expect(await restarted.passBreaker(request())).toMatchObject({ outcome: 'held' });
    await pool.end();
  });

  it('takes the percentage of the identities that are there', async () => {
    const percent = {
      ...rules,
      percentFrom: 1,
      limits: { ...rules.limits, delete: { atMost: 100, percent: 10 } },
    };
    for (let i = 0; i < 20; i += 1) await standing(randomUUID());
    // Were they counted, a third would pass.
    for (let i = 0; i < 10; i += 1) await standing(randomUUID(), { stage: 'deleted' });
    expect(await passMany(3, { rules: percent })).toEqual(['granted', 'granted', 'held']);
  });
});

async function standing(identityId: string, more: Partial<Standing> = {}, revision = 1): Promise<void> {
  const written: Standing = {
    schemaVersion: 1,
    identityId,
    stage: 'active',
    since: start,
    lastActiveAt: start,
    activity: {},
    why: 'a test',
    notices: [],
    completed: {},
    warnings: [],
    offBottom: false,
    signalWindowMs: 0,
    ...more,
  };
  await writeStanding(database.pool, written, revision);
}

describe('a release', () => {
  it('of all ends the trip, and lets as many pass again', async () => {
    await passMany(6);
    const { id } = await onlyTrip();
    now += 60_000;
    const done = await release()(id);
    expect(done).toMatchObject({ effectiveAt: now, actors: ['op-1'] });
    now += 1;
    expect(await passMany(6)).toEqual([...Array(5).fill('granted'), 'held']);
    expect(await readAudit(database.pool, installationId)).toContainEqual(
      expect.objectContaining({
        eventType: 'breaker_released',
        actor: 'op-1',
        detail: expect.objectContaining({ reason: 'looked at it', covers: 'all' }),
      }),
    );
  });

  it('of a list lets these pass, once each, and nobody else', async () => {
    await passMany(6);
    const { id } = await onlyTrip();
    const [first, second] = [request(), request()];
    await release({ identities: [first.identityId, second.identityId] })(id);
    expect(await breaker().passBreaker(first)).toEqual({ outcome: 'granted' });
    // A repeated call is the same act; another act of the same identity is not covered.
    expect(await breaker().passBreaker(first)).toEqual({ outcome: 'granted' });
    expect(await pass({ identityId: first.identityId })).toMatchObject({ outcome: 'held' });
    expect(await pass()).toMatchObject({ outcome: 'held', trip: { id } });
    expect(await breaker().passBreaker(second)).toEqual({ outcome: 'granted' });
    await onlyTrip();
  });

  it('of a list does not help against another trip', async () => {
    await passMany(6);
    const { id } = await onlyTrip();
    const listed = request();
    await release({ identities: [listed.identityId] })(id);
    await byHand(2);
    expect(await breaker().passBreaker(listed)).toMatchObject({ outcome: 'held' });
  });

  it('needs two different operators where the policy says so', async () => {
    await passMany(6, { rules: { ...rules, operators: 2 } });
    const { id } = await onlyTrip();
    const proposed = await release()(id);
    expect(proposed.effectiveAt).toBeUndefined();
    expect(await pass()).toMatchObject({ outcome: 'held' });
    const agree = (actor: string) =>
      approveRelease(database.pool, { releaseId: proposed.id, actor, at: now });
    await expect(agree('OP-1')).rejects.toThrow(/agreed to release \d+ already. It takes 2 different/);
    expect(await pass()).toMatchObject({ outcome: 'held' });
    expect(await breakerOverview(database.pool, 0, now)).toMatchObject({ pending: [{ id: proposed.id }] });
    expect(await agree('op-2')).toMatchObject({ effectiveAt: now, actors: ['op-1', 'op-2'] });
    now += 1;
    expect(await pass()).toEqual({ outcome: 'granted' });
    await expect(agree('op-3')).rejects.toBeInstanceOf(ReleaseRefusedError);
  });

  it('is refused if the breaker is not tripped', async () => {
    await expect(release()(999)).rejects.toThrow(/there is no trip 999/);
    await passMany(6);
    const { id } = await onlyTrip();
    await release()(id);
    await expect(release()(id)).rejects.toThrow(/was released already/);
  });

  it('decided by two at once is decided once', async () => {
    await passMany(6);
    const { id } = await onlyTrip();
    const both = await Promise.allSettled([release()(id), release({ actor: 'op-2' })(id)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

const byHand = (operators: number) =>
  inTransaction(database.pool, (client) =>
    tripAndAudit(client, { scope: 'all', cause: 'operator', why: 'stop', trippedAt: now, operators }, 'op-1'),
  );

describe('other causes', () => {
  it('an operator stops everything', async () => {
    await byHand(1);
    for (const action of ['revoke', 'deactivate', 'delete'] as const) {
      expect(await pass({ action })).toMatchObject({ outcome: 'held', trip: { cause: 'operator' } });
    }
  });

  it('a stalled feed stops everything; its release does not make the outage the norm', async () => {
    for (let hours = 24 * 10; hours > 24; hours -= 1) {
      await countSigns(database.pool, 100, now - hours * 3_600_000);
    }
    expect(await pass({ action: 'revoke' })).toMatchObject({
      outcome: 'held',
      trip: { scope: 'all', cause: 'feed-stalled' },
    });
    expect(await pass({ action: 'delete' })).toMatchObject({ outcome: 'held' });
    await release()((await onlyTrip()).id);
    expect(await pass(), 'it is still stalled').toMatchObject({ outcome: 'held' });
    await release()((await onlyTrip()).id);
    await countSigns(database.pool, 2_400, now - 3_600_000);
    expect(await pass()).toEqual({ outcome: 'granted' });
    const withoutStall: BreakerRules = { ...rules };
    delete (withoutStall as { stall?: unknown }).stall;
    expect(await pass({ rules: withoutStall })).toEqual({ outcome: 'granted' });
  });

  it('a clock that went back, or disagrees with PostgreSQL, stops everything', async () => {
    let databaseAt = now;
    const witness = { testify: () => Promise.resolve({ databaseAt }) };
    const { passBreaker } = createBreakerActivities({ pool: database.pool, clock, witness });
    expect(await passBreaker(request())).toEqual({ outcome: 'granted' });
    now -= 10 * 60_000;
    databaseAt = now;
    expect(await passBreaker(request())).toMatchObject({
      outcome: 'held',
      trip: { scope: 'all', cause: 'clock', why: 'the clock went back by 600 s' },
    });
    // A release says that the clock is right now, so earlier readings no longer count.
    await release()((await onlyTrip()).id);
    expect(await passBreaker(request())).toEqual({ outcome: 'granted' });
    databaseAt += 10 * 60_000;
    // A reading is cached for a few seconds, for any number of requests.
    now += 4_999;
    expect(await passBreaker(request())).toEqual({ outcome: 'granted' });
    now += 1;
    expect(await passBreaker(request())).toMatchObject({ trip: { cause: 'clock' } });
  });

  it("the witness tells PostgreSQL's time, and a jump of the process' wall clock", async () => {
    let monotonicAt = 0;
    const witness = createClockWitness(database.pool, () => monotonicAt);
    const first = await witness.testify(Date.now());
    expect(Math.abs(first.databaseAt - Date.now())).toBeLessThan(60_000);
    expect(first).not.toHaveProperty('since');
    monotonicAt += 1_000;
    const { since } = await witness.testify(Date.now() + day);
    expect(since?.monotonicMs).toBe(1_000);
    expect(since?.wallMs).toBeGreaterThanOrEqual(day);
  });
});

describe("the worker's own activities", () => {
  it('compare the clocks', async () => {
    const config = readConfig(activityVariables, inject('environment'));
    const set = createActivitySet(config, database.pool);
    const { passBreaker } = set.activities.ledger as BreakerActivities;
    const ahead = request({ decidedAt: Date.now() + 3_600_000 });
    expect(await passBreaker(ahead)).toMatchObject({ trip: { cause: 'clock' } });
    set.close();
  });
});

describe("the client's recorder", () => {
  it('counts and marks what it has recorded', async () => {
    const tellWorkflow = () => Promise.resolve();
    const recorder = new SignRecorder({ pool: database.pool, tellWorkflow, batchMs: 1, maxPending: 10 });
    const [one, other] = [randomUUID(), randomUUID()];
    const signs = [one, other, one].map((identityId, index) => ({ identityId, at: Date.now() - index }));
    for (const sign of signs) recorder.note({ ...sign, kind: 'human', source: 'app' });
    await recorder.close(10_000);
    const feed = await readFeed(database.pool, 0, Date.now());
    // Of the two of one identity, one was superseded in memory.
    expect(feed.map(({ signs: count }) => count)).toEqual([2]);
    const marks = await database.pool.query('SELECT identity_id, newest_at FROM activity_mark');
    expect(marks.rows).toHaveLength(2);
    expect(marks.rows).toContainEqual({ identity_id: one, newest_at: new Date(signs[0]?.at ?? 0) });
  });
});

describe('a database that was restored from a backup', () => {
  const ledger = () =>
    createLedgerActivities({ pool: database.pool, policies: new PolicyReader(database.pool) });
  const write = async (identityId: string, revision: number, before?: number) => {
    const found = await database.pool.query('SELECT document FROM standing WHERE identity_id = $1', [
      identityId,
    ]);
    const previous = before === undefined ? {} : { previous: { revision: before, operators: 2 } };
    await ledger().record({ standing: found.rows[0]?.document, revision, ...previous, audit: [] });
  };

  it('stops everything when a workflow remembers more than PostgreSQL', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    for (const id of [one, other]) {
      await standing(id, {}, start);
      await write(id, start + 10, start);
      await write(id, start + 20, start + 10);
    }
    expect(await activeTrips(database.pool)).toEqual([]);
    // The backup is from before the last two writes.
    await database.pool.query('UPDATE standing SET revision = $1', [start]);
    await write(one, start + 30, start + 20);
    const trip = await onlyTrip();
    expect(trip).toMatchObject({ scope: 'all', cause: 'restored', operators: 2 });
    expect(await pass({ action: 'revoke' })).toMatchObject({ outcome: 'held', trip: { id: trip.id } });
    const proposed = await release({ at: start + 40 })(trip.id);
    await approveRelease(database.pool, { releaseId: proposed.id, actor: 'op-2', at: start + 40 });
    // Workflows whose earlier writes were lost before the release do not trip it again; a second restoration does.
    await write(other, start + 50, start + 20);
    expect(await activeTrips(database.pool)).toEqual([]);
    await database.pool.query('UPDATE standing SET revision = $1', [start]);
    await write(other, start + 60, start + 50);
    await onlyTrip();
  });

  it('lets no act pass before anything is recorded', async () => {
    const identityId = randomUUID();
    await standing(identityId, {}, start);
    await write(identityId, start + 10);
    const asked = { action: 'revoke', identityId } as const;
    const previous = { revision: start + 10, operators: 2 };
    expect(await pass({ ...asked, previous })).toEqual({ outcome: 'granted' });
    await database.pool.query('UPDATE standing SET revision = $1', [start]);
    expect(await pass({ ...asked, previous })).toMatchObject({
      outcome: 'held',
      trip: { scope: 'all', cause: 'restored', operators: 2 },
    });
  });

  describe('of its signs of life alone', () => {
    const seen = async (identityId: string, at: number) => {
      const sign = { identityId, at, kind: 'human', source: 'app' } as const;
      await recordSigns(database.pool, [sign]);
      await keepMarks(database.pool, [sign], at);
    };
    const forget = (identityId: string) =>
      database.pool.query('DELETE FROM identity_activity WHERE identity_id = $1', [identityId]);

    it('stops everything at the next act, until somebody has looked', async () => {
      const [lost, lostEarlier, held] = [randomUUID(), randomUUID(), randomUUID()];
      for (const id of [lost, lostEarlier, held]) await standing(id, {}, start);
      await seen(lostEarlier, start - 30 * 3_600_000);
      await seen(lost, start - 3 * 3_600_000);
      await seen(held, start - 2 * 3_600_000);
      const again = request();
      expect(await pass(again)).toEqual({ outcome: 'granted' });
      await forget(lostEarlier);
      // Brought back from a backup that is older than the sign.
      await database.pool.query(
        "UPDATE identity_activity SET last_active_at = last_active_at - interval '1 day' WHERE identity_id = $1",
        [lost],
      );
      expect(await pass({ action: 'revoke' })).toMatchObject({
        outcome: 'held',
        trip: { scope: 'all', cause: 'restored', why: expect.stringContaining('2029-12-31T21:00:00.000Z') },
      });
      await release()((await onlyTrip()).id);
      expect(await pass()).toEqual({ outcome: 'granted' });
      await forget(held);
      expect(await pass(again), 'an act that passed before').toMatchObject({ trip: { cause: 'restored' } });
    });

    it('a sign that a later one followed is not lost, nor that of the deleted or of nobody', async () => {
      const [later, deleted, nobody] = [randomUUID(), randomUUID(), randomUUID()];
      for (const id of [later, deleted]) await standing(id, {}, start);
      await seen(later, start - 4 * 3_600_000);
      await recordSigns(database.pool, [{ identityId: later, at: start, kind: 'token', source: 'app' }]);
      await seen(deleted, start - 3 * 3_600_000);
      await buryIdentity(database.pool, deleted, undefined, start);
      await seen(nobody, start - 2 * 3_600_000);
      await forget(nobody);
      expect(await pass()).toEqual({ outcome: 'granted' });
    });

    it('what was forgotten on purpose is not marked, before or after', async () => {
      const [deleted, unknown] = [randomUUID(), randomUUID()];
      for (const id of [deleted, unknown]) {
        await standing(id, {}, start);
        await seen(id, start);
      }
      const forgetAll = async () => {
        await buryIdentity(database.pool, deleted, undefined, start);
        await forgetSigns(database.pool, unknown);
      };
      await forgetAll();
      // A process that counted their last signs writes ten seconds later.
      await keepMarks(
        database.pool,
        [deleted, unknown].map((identityId) => ({ identityId, at: start })),
        start + 10_000,
      );
      expect((await database.pool.query('SELECT * FROM activity_mark')).rows).toEqual([]);
      expect(await pass()).toEqual({ outcome: 'granted' });
    });
  });

  it('a repeated write is none', async () => {
    const id = randomUUID();
    await standing(id, {}, start);
    await write(id, start + 10, start);
    await write(id, start + 10, start);
    expect(await activeTrips(database.pool)).toEqual([]);
  });
});

describe('what operators see', () => {
  it('the waiting identities, the longest absent first, page by page', async () => {
    const ids = Array.from({ length: 25 }, () => randomUUID());
    for (const [index, id] of ids.entries()) {
      await standing(id, {
        lastActiveAt: start - (index % 5) * day,
        blocked: { by: 'breaker', why: 'too many' },
        next: { step: 'rung', rung: 'delete', at: start },
      });
    }
    await standing(randomUUID(), { blocked: { by: 'hold', why: 'leave' } });
    const waiting = [];
    for await (const one of waitingForBreaker(database.pool, 4)) waiting.push(one);
    expect(waiting.map(({ identityId }) => identityId).sort()).toEqual([...ids].sort());
    const times = waiting.map(({ lastActiveAt }) => lastActiveAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(waiting[0]).toMatchObject({ action: 'delete', stage: 'active' });
    expect(await breakerOverview(database.pool, 0, now)).toMatchObject({
      waiting: 25,
      waitingTokens: 0,
      population: 26,
      trips: [],
    });
  });

  it('that more acts fall due within the window than the limit allows, with the way out', async () => {
    const id = `sized-${randomUUID().slice(0, 8)}`;
    await publish(
      database.pool,
      `id: ${id}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
breaker: { percentFrom: 1000, limits: { deactivate: { atMost: 2 } } }
`,
    );
    const policy = { id, version: 1, hash: '' };
    const due = (rung: 'deactivate', inMs: number) =>
      standing(randomUUID(), { policy, next: { step: 'rung', rung, at: now + inMs } });
    for (let nth = 0; nth < 3; nth += 1) await due('deactivate', nth * 1_000);
    await due('deactivate', 2 * day);
    const { warnings } = await breakerOverview(database.pool, 0, now);
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`^policy "${id}": 3 × deactivate fall due within 1d, and 2 are allowed: .*Raise breaker`),
      ),
    ]);
  });

  it('the audit log stays whole', async () => {
    expect(await verifyAudit(database.pool)).toMatchObject({ rows: expect.any(Number) });
    expect((await verifyAudit(database.pool)).brokenAt).toBeUndefined();
  });
});

describe('the meter of the feed', () => {
  const signs = (count: number) =>
    Array.from({ length: count }, () => ({ identityId: randomUUID(), at: now }));

  it('writes at most every ten seconds, and the rest when asked', async () => {
    const meter = new FeedMeter(database.pool);
    await meter.add(signs(3), now);
    await meter.add(signs(4), now + 5_000);
    const counts = async () => (await readFeed(database.pool, 0, now + day)).map((bucket) => bucket.signs);
    expect(await counts()).toEqual([3]);
    await meter.add(signs(5), now + 10_000);
    expect(await counts()).toEqual([12]);
    await meter.add(signs(1), now + 11_000);
    await meter.write(now + 12_000);
    expect(await counts()).toEqual([13]);
  });
  it('marks the newest sign of the latest ten identities, and ten of each ten minutes', async () => {
    const meter = new FeedMeter(database.pool);
    const marks = async () => {
      const found = await database.pool.query<{ identity_id: string; newest_at: Date }>(
        'SELECT identity_id, newest_at FROM activity_mark ORDER BY newest_at',
      );
      return found.rows.map((row) => [row.identity_id, row.newest_at.getTime()]);
    };
    const twelve = Array.from({ length: 12 }, (_, index) => ({ identityId: randomUUID(), at: now + index }));
    const [busy] = twelve;
    if (busy === undefined) throw new Error('twelve');
    const all = [...twelve.slice(0, 10), { ...busy, at: now - 1 }, ...twelve.slice(10)];
    await recordSigns(
      database.pool,
      all.map((sign) => ({ ...sign, kind: 'human', source: 'app' })),
    );
    await meter.add(all, now);
    // The busy one came again, later; its newest sign counts, not its last.
    const kept = [busy, ...twelve.slice(3)].map(({ identityId, at }) => [identityId, at]);
    expect(await marks()).toEqual(kept);
    await meter.add(twelve.slice(1, 2), now + 10_000);
    expect(await marks(), 'this period has its ten').toEqual(kept);
    await meter.add(twelve.slice(1, 2), now + 600_000);
    expect(await marks()).toHaveLength(11);
  });
  it('keeps the count while PostgreSQL is away', async () => {
    const away = createPool({ url: database.url });
    await away.end();
    const meter = new FeedMeter(away);
    await expect(meter.add(signs(3), now)).resolves.toBeUndefined();
    expect(meter).toMatchObject({ pending: 3 });
  });
});
