/** Notices that bounce, and addresses that change while a notice runs, in skipped time on the real stack. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { given } from '../../src/domain/given.js';
import type { Standing } from '../../src/domain/standing.js';
import { recordBounce } from '../../src/mail/bounces-table.js';
import { listMails } from '../../src/mail/mails-table.js';
import { lookAgainSignal, standingQuery } from '../../src/workflows/messages.js';
import { type SmtpFixture, startSmtp } from '../mail/smtp-fixture.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, openHarness } from '../support/harness/open.js';
import { until } from '../support/until.js';

const started = '0 lifecycle_started';
let journey: Journey;
let taskQueue: string;
let gateway: TestGateway;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers();
  gateway = await listenGateway({ stack: inject('stack'), temporalAddress: journey.temporal.address });
  await journey.publish(policy('notices', 'attempts: 5, firstAfter: 1s, longestAfter: 1s'));
  await journey.publish(policy('persistent', 'attempts: 100, firstAfter: 1h, longestAfter: 6h'));
});
afterEach(() => journey.forgetLifecycles());
afterAll(async () => {
  await gateway.close();
  await journey.end();
});

const policy = (id: string, retry: string) => `id: ${id}
ladder:
  delete: { after: 60d, notices: [30d, 7d, 1d], noticeFloor: 30d }
breaker: { percentFrom: 1000, limits: { delete: { atMost: 1000 } }, stall: off }
jitter: none
recheck: 7d
retry: { ${retry} }
`;

/** A person seen on day 0, with the first notice sent on day 30. */
async function begin(
  queue = taskQueue,
  before: (identityId: string) => Promise<void> = async () => undefined,
  policyId = 'notices',
) {
  const person = await journey.people.create('notices');
  await before(person.id);
  const startedAt = await journey.now();
  await journey.dateIdentity(person.id, startedAt);
  const handle = await journey.enrol(person.id, queue, { policyId });
  const toDay = (day: number) => journey.travelTo(startedAt + day * dayMs);
  await toDay(31);
  const standingWhere = (is: (standing: Standing) => boolean) =>
    until('the standing', async () => {
      const standing = await handle.query(standingQuery);
      return is(standing) ? standing : undefined;
    });
  const story = async () => lines(await journey.audit(person.id));
  expect(await story()).toEqual([started, '30 notice_sent']);
  return { person, handle, startedAt, toDay, story, standingWhere };
}

async function lastBounce(identityId: string) {
  const mail = (await listMails(journey.pool, identityId)).at(-1);
  return { messageId: mail?.messageId ?? '', kind: 'hard' as const };
}

/** As the mail system reports it. */
async function reportBounce(identityId: string, code?: string): Promise<void> {
  const answer = await fetch(new URL('/v1/mail/bounces', gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-dormouse-hook-key': gateway.hookKeys.mail[0] },
    body: JSON.stringify({
      ...(await lastBounce(identityId)),
      ...(code !== undefined && { diagnosticCode: `smtp; 550 ${code} returned` }),
    }),
  });
  expect(answer.status).toBe(202);
}

/** Without a signal to the lifecycle. */
async function bounceLast(identityId: string, code?: string): Promise<void> {
  const bounce = { ...(await lastBounce(identityId)), ...given({ code }) };
  const now = await journey.now();
  expect(await recordBounce(journey.pool, bounce, { source: 'test', now })).toEqual({ identityId });
}

const mailsTo = async (address: string | undefined) =>
  (await journey.mails()).filter(({ to }) => address !== undefined && to.includes(address));

describe('a hard bounce of an accepted notice', () => {
  test('holds the deletion, is shown, and the notice is given anew with its full floor', async () => {
    const { person, toDay, story, standingWhere } = await begin();
    // Half a day from any look of its own: only the bounce can wake it.
    await toDay(31.5);
    await reportBounce(person.id);
    const blocked = await standingWhere(({ blocked }) => blocked?.by === 'no-notice');
    expect(blocked.notices).toMatchObject([{ outcome: 'bounced' }]);
    await toDay(70);
    expect(await story()).toEqual([
      started,
      '30 notice_sent',
      '31 notice_bounced',
      '38 notice_sent',
      '61 notice_sent',
      '67 notice_sent',
      '68 account_deleted',
    ]);
  });

  test('on every notice: the pauses grow, and the address is left alone until it changes', async () => {
    const { person, handle, toDay, story } = await begin();
    const sent = async () => (await mailsTo(person.email)).length;
    await bounceLast(person.id);
    await toDay(39);
    await bounceLast(person.id);
    await toDay(54);
    await bounceLast(person.id);
    // A fourth attempt is due after 28 days: nothing is sent any more.
    await toDay(84);
    expect(await story()).toEqual([
      started,
      '30 notice_sent',
      '31 notice_bounced',
      '38 notice_sent',
      '39 notice_bounced',
      '53 notice_sent',
      '54 notice_bounced',
      '82 notice_failed',
    ]);
    expect(await sent()).toBe(3);
    const blocked = await handle.query(standingQuery);
    expect(blocked.blocked).toMatchObject({ by: 'no-notice' });
    const moved = `moved-${person.id}@example.com`;
    await journey.people.identities.patchIdentity({
      id: person.id,
      jsonPatch: [{ op: 'replace', path: '/traits/email', value: moved }],
    });
    await toDay(113);
    expect((await story()).at(-1)).toBe('112 notice_sent');
    expect((await mailsTo(moved)).map(({ kind }) => kind)).toEqual(['notice-delete']);
    expect(await sent()).toBe(3);
  });

  test('that the lifecycle was not told of is found within a day', async () => {
    const { person, toDay, story } = await begin();
    await bounceLast(person.id);
    await toDay(33);
    expect(await story()).toEqual([started, '30 notice_sent', '31 notice_bounced']);
    await toDay(62);
    expect((await story()).at(-1)).toBe('61 notice_sent');
  });
});

describe('a warning that a relay took and sent back', () => {
  const warned = `id: warned
ladder:
  warn: { after: 10d }
  suspend: { after: 20d, noticeFloor: 7d }
breaker: { percentFrom: 1000, stall: off }
jitter: none
recheck: 7d
retry: { attempts: 5, firstAfter: 1s, longestAfter: 1s }
`;
  async function warnedPerson() {
    await journey.publish(warned);
    const person = await journey.people.create('warned');
    const startedAt = await journey.now();
    await journey.dateIdentity(person.id, startedAt);
    const handle = await journey.enrol(person.id, taskQueue, { policyId: 'warned' });
    const toDay = (day: number) => journey.travelTo(startedAt + day * dayMs);
    const story = async () => lines(await journey.audit(person.id));
    await toDay(12);
    expect(await story()).toEqual([started, '10 inactivity_warned']);
    return { person, handle, toDay, story };
  }
  const standingOf = async ({ handle }: Awaited<ReturnType<typeof warnedPerson>>) =>
    handle.query(standingQuery);

  test.each([
    '5.4.5',
    '5.7.1',
    '4.4.7',
  ])('by %s: wakes the lifecycle; the warning is given anew after the recheck, and the suspension keeps its floor', async (code) => {
    const cast = await warnedPerson();
    await reportBounce(cast.person.id, code);
    await until('the block', async () => (await standingOf(cast)).blocked?.by === 'no-notice');
    expect(await standingOf(cast)).toMatchObject({ stage: 'active', next: { step: 'rung', rung: 'warn' } });
    await cast.toDay(25);
    expect((await standingOf(cast)).stage).toBe('warned');
    await cast.toDay(27);
    expect(await cast.story()).toEqual([
      started,
      '10 inactivity_warned',
      '12 notice_bounced',
      '19 inactivity_warned',
      '26 actions_suspended',
    ]);
    expect((await mailsTo(cast.person.email)).map(({ kind }) => kind)).toEqual(['warn', 'warn']);
  });

  test('unknown to the lifecycle: the look right before the suspension finds it', async () => {
    const { person, toDay, story } = await warnedPerson();
    await bounceLast(person.id, '5.7.1');
    await toDay(28);
    expect((await story()).slice(2)).toEqual(['20 notice_bounced', '27 inactivity_warned']);
  });

  test('because of its address: suspends on the day, as the policy says', async () => {
    const { person, toDay, story } = await warnedPerson();
    await reportBounce(person.id, '5.1.1');
    await toDay(21);
    expect((await story()).slice(2)).toEqual(['20 actions_suspended']);
  });

  test('after the suspension: the suspension stays, and operators see it', async () => {
    const cast = await warnedPerson();
    await cast.toDay(21);
    await reportBounce(cast.person.id, '5.4.5');
    await until('the warning', async () => (await standingOf(cast)).warnings.length > 0);
    expect(await standingOf(cast)).toMatchObject({
      stage: 'suspended',
      warnings: ['suspended-without-warning'],
    });
    await cast.toDay(40);
    expect((await cast.story()).slice(2)).toEqual(['20 actions_suspended', '21 notice_bounced']);
  });
});

describe('accounts of which no address was ever confirmed', () => {
  const unconfirmed = 'unconfirmed: { delete: { after: 40d, notices: [7d], noticeFloor: 7d } }\n';
  async function unconfirmedPerson() {
    await journey.publish(
      policy('unconfirmed', 'attempts: 5, firstAfter: 1s, longestAfter: 1s') + unconfirmed,
    );
    const person = await journey.people.create('unconfirmed');
    const startedAt = await journey.now();
    await journey.dateIdentity(person.id, startedAt);
    await journey.enrol(person.id, taskQueue, { policyId: 'unconfirmed' });
    return {
      story: async () => lines(await journey.audit(person.id)),
      toDay: (day: number) => journey.travelTo(startedAt + day * dayMs),
      confirm: () =>
        journey.kratosPool.query(
          "UPDATE identity_verifiable_addresses SET verified = true, status = 'completed' WHERE identity_id = $1",
          [person.id],
        ),
    };
  }

  test('follow rungs of their own, with notice', async () => {
    const { story, toDay } = await unconfirmedPerson();
    await toDay(41);
    expect(await story()).toEqual([started, '33 notice_sent', '40 account_deleted']);
  });

  test('follow the ladder from the moment of a confirmation', async () => {
    const { story, toDay, confirm } = await unconfirmedPerson();
    await toDay(35);
    await confirm();
    await toDay(59);
    expect((await story()).filter((line) => line.includes('deleted'))).toEqual([]);
  });
});

describe('an address that changes while a notice runs', () => {
  test('old and new are told once, with the same date, and nothing is put off', async () => {
    const { person, toDay, story } = await begin();
    const { email } = person;
    const fresh = `moved-${person.id}@example.com`;
    await journey.people.identities.patchIdentity({
      id: person.id,
      jsonPatch: [{ op: 'replace', path: '/traits/email', value: fresh }],
    });
    await toDay(33);
    expect(await story()).toEqual([started, '30 notice_sent', '31 addresses_followed']);
    expect((await mailsTo(email)).map(({ kind }) => kind)).toEqual(['notice-delete', 'address-changed']);
    const [told] = await mailsTo(fresh);
    expect(told?.kind).toBe('notice-delete');
    const dateIn = (text = '') =>
      /, from ([A-Z][a-z]+ \d+, \d+ \(UTC\)) on\./.exec(text.replace(/\s+/g, ' '))?.[1];
    expect(dateIn(told?.text)).toBeDefined();
    for (const mail of await mailsTo(email)) expect(dateIn(mail.text)).toBe(dateIn(told?.text));
    await toDay(62);
    expect((await story()).slice(3)).toEqual(['53 notice_sent', '59 notice_sent', '60 account_deleted']);
    expect(await mailsTo(email)).toHaveLength(2);
    expect(await mailsTo(fresh)).toHaveLength(3);
    const kept = 'SELECT 1 FROM notified_address WHERE identity_id = $1';
    expect((await journey.pool.query(kept, [person.id])).rows).toEqual([]);
  });

  test('one found just before the deletion leaves a day', async () => {
    const { person, toDay, story } = await begin();
    await toDay(59.5);
    await journey.people.identities.patchIdentity({
      id: person.id,
      jsonPatch: [{ op: 'replace', path: '/traits/email', value: `late-${person.id}@example.com` }],
    });
    await toDay(62);
    expect((await story()).slice(2)).toEqual([
      '53 notice_sent',
      '59 notice_sent',
      '60 addresses_followed',
      '61 account_deleted',
    ]);
  });

  test('none left: the former one is told, and the deletion is held', async () => {
    const { person, handle, toDay, story, standingWhere } = await begin();
    for (const table of ['identity_recovery_addresses', 'identity_verifiable_addresses']) {
      await journey.kratosPool.query(`DELETE FROM ${table} WHERE identity_id = $1`, [person.id]);
    }
    await handle.signal(lookAgainSignal, { schemaVersion: 1 });
    await standingWhere(({ blocked, inProgress }) => blocked?.by === 'no-notice' && inProgress === undefined);
    await toDay(36);
    expect(await story()).toEqual([started, '30 notice_sent', '31 notice_failed', '31 addresses_followed']);
    expect((await mailsTo(person.email)).map(({ kind }) => kind)).toEqual([
      'notice-delete',
      'address-changed',
    ]);
    await toDay(80);
    expect(await story()).not.toContain('60 account_deleted');
  });
});

describe('a mailbox that is deferred for good', () => {
  let smtp: SmtpFixture;
  afterAll(() => smtp.close());

  test('does not park the notice that another address took; it is shown', async () => {
    smtp = await startSmtp({
      rcptTo: (address) => (address.startsWith('deferred') ? { code: 451 } : undefined),
    });
    const queue = await journey.startWorkers({ DORMOUSE_SMTP_URL: smtp.url });
    const { handle } = await begin(queue, async (id) => {
      await journey.kratosPool.query(
        `INSERT INTO identity_recovery_addresses (id, via, value, identity_id, nid, created_at, updated_at)
         SELECT gen_random_uuid(), 'email', $2, id, nid, now(), now() FROM identities WHERE id = $1`,
        [id, `deferred-${id}@example.com`],
      );
    });
    const standing = await handle.query(standingQuery);
    expect(standing.warnings).toEqual(['mail-notice-delete-deferred']);
    expect(standing.notices).toMatchObject([{ outcome: 'accepted' }]);
    expect(standing.parked).toBeUndefined();
  });
});

describe('an outage of the mail server over several notices', () => {
  let isDown = false;
  let smtp: SmtpFixture;
  afterAll(() => smtp.close());

  test('each is sent afterwards, late, and the deletion is put off by their floors', async () => {
    smtp = await startSmtp({ connect: () => (isDown ? { code: 421, text: 'try later' } : undefined) });
    const queue = await journey.startWorkers({ DORMOUSE_SMTP_URL: smtp.url });
    const { person, toDay, story } = await begin(queue, undefined, 'persistent');
    await toDay(50);
    isDown = true;
    smtp.cut();
    // Notices were due on the days 53 and 59, and the deletion on day 60.
    await toDay(60.5);
    expect(await story()).toEqual([started, '30 notice_sent']);
    expect(smtp.messages).toHaveLength(1);
    isDown = false;
    await toDay(70);
    const late = ['60 notice_sent', '66 notice_sent', '67 account_deleted'];
    expect(await story()).toEqual([started, '30 notice_sent', ...late]);
    expect(smtp.messages).toHaveLength(3);
    const [, , second, third, deleted] = await journey.audit(person.id);
    const between = (from = second, to = deleted) => (to?.occurredAt ?? 0) - (from?.occurredAt ?? 0);
    expect(between(second)).toBeGreaterThanOrEqual(7 * dayMs);
    expect(between(third)).toBeGreaterThanOrEqual(dayMs);
  });
});
