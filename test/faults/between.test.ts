/** The worst moments: what happens between two calls of one step, when the look is over and the deed is not done yet. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { readNotBefore } from '../../src/tokens/revocations-table.js';
import { standingQuery, userActivitySignal } from '../../src/workflows/messages.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, openHarness } from '../support/harness/open.js';
import { recordSigns } from '../support/record-signs.js';
import { until } from '../support/until.js';

let journey: Journey;
let hydra: FaultProxy;
let kratos: FaultProxy;
let taskQueue: string;
let isLedgerAway = false;
let isBreakerSlow = false;
let isDeedAway = false;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  hydra = await startFaultProxy(inject('stack').hydra.adminUrl);
  kratos = await startFaultProxy(inject('stack').kratos.adminUrl);
  taskQueue = await journey.startWorkers({
    DORMOUSE_HYDRA_ADMIN_URL: hydra.url,
    DORMOUSE_KRATOS_ADMIN_URL: kratos.url,
  });
  await journey.publish(`
id: between
ladder:
  revoke: { after: 30d, notices: [5d], noticeFloor: 5d, withoutNotice: proceed }
breaker: { stall: off, limits: { revoke: { atMost: 1000 } }, percentFrom: 1000 }
recheck: 7d
retry: { attempts: 3, firstAfter: 12h, longestAfter: 12h }
jitter: none
`);
});
afterEach(async () => {
  hydra.heal();
  kratos.heal();
  await journey.forgetLifecycles();
});
afterAll(async () => {
  await journey.end();
  await Promise.all([hydra.close(), kratos.close()]);
});

async function enrolled() {
  const person = await journey.people.create('between');
  const startedAt = await journey.now();
  const handle = await journey.enrol(person.id, taskQueue, {
    policyId: 'between',
    activity: { human: startedAt },
  });
  return { person, handle, startedAt };
}

test('a session that is minted while Hydra is asked is ended, too', async () => {
  const { person, startedAt } = await enrolled();
  let minted: Awaited<ReturnType<typeof journey.people.signIn>>;
  const signIn = async () => {
    minted = await journey.people.signIn(person);
    // Kratos has a clock of its own.
    await journey.dateSessions(person.id, await journey.now());
  };
  hydra.inject({ kind: 'meanwhile', deed: signIn }, new RegExp(`^DELETE .*${person.id}`), 1);
  await journey.travelTo(startedAt + 31 * dayMs);
  const seen = lines(await journey.audit(person.id));
  expect(seen.slice(-2)).toEqual(['0 tokens_revoked_stale', '0 returned']);
  if (minted === undefined) expect.fail('the sign-in was refused');
  expect(await journey.people.isSignedIn(minted)).toBe(false);
});

test('whoever shows up while the breaker is asked is not touched', async () => {
  const { person, handle, startedAt } = await enrolled();
  await journey.travelTo(startedAt + 29 * dayMs);
  const client = await journey.pool.connect();
  try {
    // The lock that every decision of the breaker takes: whoever asks now waits for it.
    await client.query("SELECT pg_advisory_lock(hashtext('dormouse/breaker'))");
    const travelling = journey.travelTo(startedAt + 31 * dayMs);
    await until('the lifecycle asks the breaker', async () => {
      const waiting = await journey.pool.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return waiting.rows.length > 0;
    });
    const at = await journey.now();
    // Told to the workflow alone: no look that follows could find it elsewhere.
    await handle.signal(userActivitySignal, { schemaVersion: 1, at, kind: 'human', source: 'app' });
    await client.query("SELECT pg_advisory_unlock(hashtext('dormouse/breaker'))");
    await travelling;
  } finally {
    client.release();
  }
  const seen = lines(await journey.audit(person.id));
  expect(seen.filter((line) => line.endsWith('tokens_revoked_stale'))).toEqual([]);
  expect(seen.at(-1)).toBe('0 returned');
});

describe('while Kratos fails to end the sessions of a revocation', () => {
  /** Until an attempt has failed; the next one comes half a day later. */
  async function underWay() {
    const person = await journey.people.create('between');
    const session = await journey.people.signIn(person);
    if (session === undefined) expect.fail('the sign-in was refused');
    const startedAt = await journey.now();
    await journey.dateSessions(person.id, startedAt);
    const handle = await journey.enrol(person.id, taskQueue, {
      policyId: 'between',
      activity: { human: startedAt },
    });
    const deletion = `DELETE /admin/identities/${person.id}/sessions`;
    kratos.inject({ kind: 'answer', status: 503, body: '{"error":{}}' }, new RegExp(`^${deletion}`));
    await journey.travelTo(startedAt + 30 * dayMs + 3_600_000);
    await until('the attempt', () => kratos.requests.includes(deletion));
    return { person, handle, session, startedAt };
  }
  type Life = Awaited<ReturnType<typeof underWay>>;

  /** Kratos is back, and the next attempts are made. */
  async function healed({ person, handle, session, startedAt }: Life) {
    kratos.heal();
    await journey.travelTo(startedAt + 32 * dayMs);
    return {
      events: (await journey.audit(person.id)).map(({ eventType, outcome }) => `${eventType} ${outcome}`),
      standing: await handle.query(standingQuery),
      isSignedIn: await journey.people.isSignedIn(session),
      notBefore: await readNotBefore(journey.pool, person.id),
    };
  }
  const untouched = { standing: { stage: 'active' }, isSignedIn: true };

  test('it is made up for when Kratos is back', async () => {
    const found = await healed(await underWay());
    expect(found).toMatchObject({ standing: { stage: 'revoked' }, isSignedIn: false });
    expect(found.events).toContain('tokens_revoked_stale done');
    expect(found.notBefore).toBeGreaterThan(0);
  });

  test('an admin opts the person out: nothing of it is done', async () => {
    const life = await underWay();
    const value = { skip_stale_revocation: true };
    await journey.people.identities.patchIdentity({
      id: life.person.id,
      jsonPatch: [{ op: 'add', path: '/metadata_admin', value }],
    });
    const found = await healed(life);
    expect(found).toMatchObject({ ...untouched, notBefore: undefined });
    expect(found.standing.blocked?.by).toBe('exempt');
    expect(found.events.slice(-2)).toEqual(['left_alone exempt', 'returned exempt']);
  });

  test('the person is seen, and nobody tells the lifecycle: nothing of it is done', async () => {
    const life = await underWay();
    const at = await journey.now();
    await recordSigns(journey.pool, [{ identityId: life.person.id, at, kind: 'human', source: 'app' }]);
    const found = await healed(life);
    expect(found).toMatchObject({ ...untouched, notBefore: undefined });
    expect(found.events.filter((event) => event.startsWith('tokens_revoked_stale'))).toEqual([]);
  });
});

test('who comes back while PostgreSQL keeps the engine waiting is looked at again, and not warned', async () => {
  let refused = 0;
  const refuse = () => {
    refused += 1;
    return Promise.reject(new Error('PostgreSQL is away'));
  };
  const withLedger = (activities: object): object => {
    if (!('record' in activities)) return activities;
    const { record } = activities as { record: (input: unknown) => Promise<void> };
    const recordLater = (input: unknown) => (isLedgerAway ? refuse() : record(input));
    return { ...activities, record: recordLater };
  };
  const queue = await journey.startWorkers({}, { wrap: withLedger });
  await journey.publish(`
id: between-waiting
ladder:
  warn: { after: 30d }
recheck: 7d
retry: { attempts: 3, firstAfter: 12h, longestAfter: 12h }
jitter: none
`);
  const person = await journey.people.create('waiting');
  const startedAt = await journey.now();
  await journey.dateIdentity(person.id, startedAt - 60 * dayMs);
  isLedgerAway = true;
  // Overdue, so that the first look decides for the warning, and waits to write that the lifecycle began.
  await journey.enrol(person.id, queue, {
    policyId: 'between-waiting',
    activity: { human: startedAt - 31 * dayMs },
  });
  await until('the first look, and the attempt to write it down', () => refused > 0);
  await journey.travelTo(startedAt + dayMs / 8);
  expect(await journey.audit(person.id)).toEqual([]);
  // Only Kratos' session shows it.
  await journey.people.signIn(person);
  await journey.dateSessions(person.id, await journey.now());
  isLedgerAway = false;
  await journey.travelTo(startedAt + dayMs / 4);
  expect(lines(await journey.audit(person.id))).toEqual(['31 lifecycle_started']);
  expect((await journey.mails()).filter(({ to }) => to.includes(person.email ?? ''))).toEqual([]);
});

describe('a breaker whose answer comes after hours', () => {
  const asked: string[] = [];
  const looked: string[] = [];
  /** It decides at once, and the answer is lost: as in a queue that is hours long. */
  const withSlowBreaker = (activities: object): object => {
    if ('assess' in activities && 'endSessions' in activities) {
      const { assess, endSessions } = activities as Record<
        'assess' | 'endSessions',
        (input: { identityId: string }) => Promise<unknown>
      >;
      const noting = (input: { identityId: string }) => {
        looked.push(input.identityId);
        return assess(input);
      };
      const away = () => Promise.reject(new Error('Kratos is away'));
      return {
        ...activities,
        assess: noting,
        endSessions: (input: { identityId: string }) => (isDeedAway ? away() : endSessions(input)),
      };
    }
    if (!('passBreaker' in activities)) return activities;
    const { passBreaker } = activities as {
      passBreaker: (input: { identityId: string }) => Promise<unknown>;
    };
    const slow = async (input: { identityId: string }) => {
      const answer = await passBreaker(input);
      asked.push(input.identityId);
      if (isBreakerSlow) throw new Error('the answer is lost');
      return answer;
    };
    return { ...activities, passBreaker: slow };
  };
  let queue: string;
  beforeAll(async () => {
    queue = await journey.startWorkers({}, { wrap: withSlowBreaker });
  });
  afterEach(() => {
    isBreakerSlow = false;
    isDeedAway = false;
  });

  const grantsOf = async (identityId: string) => {
    const found = await journey.pool.query<{ used: boolean }>(
      'SELECT used_at IS NOT NULL AS used FROM breaker_grant WHERE identity_id = $1',
      [identityId],
    );
    return found.rows.map(({ used }) => used);
  };
  const times = (ids: readonly string[], id: string) => ids.filter((one) => one === id).length;

  async function waiting() {
    const person = await journey.people.create('queued');
    const startedAt = await journey.now();
    const handle = await journey.enrol(person.id, queue, {
      policyId: 'between',
      activity: { human: startedAt },
    });
    await journey.travelTo(startedAt + 29.5 * dayMs);
    await journey.rest(handle);
    isBreakerSlow = true;
    await journey.travelTo(startedAt + 30.2 * dayMs);
    expect(times(asked, person.id)).toBeGreaterThan(1);
    return { person, startedAt, handle };
  }

  test('the grant is kept, and one more look is taken before the deed', async () => {
    const { person, startedAt, handle } = await waiting();
    expect(await grantsOf(person.id)).toEqual([false]);
    const looks = times(looked, person.id);
    isBreakerSlow = false;
    const asksBefore = times(asked, person.id);
    await journey.travelTo(startedAt + 30.3 * dayMs);
    expect(lines(await journey.audit(person.id))).toContain('30 tokens_revoked_stale');
    expect(times(asked, person.id), 'the answer that arrived, and no other').toBe(asksBefore + 1);
    // One before the deed, one after it.
    expect(times(looked, person.id)).toBe(looks + 2);
    expect(await grantsOf(person.id)).toEqual([true]);
    await journey.rest(handle);
  });

  test('who came back meanwhile is not touched, and the place in the limit is given back', async () => {
    const { person, startedAt, handle } = await waiting();
    // Only Kratos' session shows it.
    const made = await journey.people.signIn(person);
    await journey.dateSessions(person.id, await journey.now());
    isBreakerSlow = false;
    await journey.travelTo(startedAt + 30.3 * dayMs);
    expect(lines(await journey.audit(person.id))).not.toContain('30 tokens_revoked_stale');
    expect(made && (await journey.people.isSignedIn(made))).toBe(true);
    expect(await grantsOf(person.id)).toEqual([]);
    await journey.rest(handle);
  });

  test('who comes back between two attempts at the deed has the place given back as well', async () => {
    const person = await journey.people.create('queued');
    const startedAt = await journey.now();
    const handle = await journey.enrol(person.id, queue, {
      policyId: 'between',
      activity: { human: startedAt },
    });
    isDeedAway = true;
    await journey.travelTo(startedAt + 30.1 * dayMs);
    expect(await grantsOf(person.id)).toEqual([false]);
    await handle.signal(userActivitySignal, {
      schemaVersion: 1,
      kind: 'human',
      at: await journey.now(),
      source: 'test',
    });
    await until('the place is given back', async () => (await grantsOf(person.id)).length === 0);
    await journey.rest(handle);
  });
});
