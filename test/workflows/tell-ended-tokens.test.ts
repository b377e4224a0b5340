/** The mail that tells people afterwards that their refresh tokens ended: on a real Temporal server, with a real mail server. */
import { randomBytes, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readMailbox } from '../../dev/demo/mailbox.js';
import { createEndedTokenActivities } from '../../src/activities/ended-token-mails.js';
import type { MailRequest, MailResult } from '../../src/activities/mail.js';
import { dayMs } from '../../src/domain/duration.js';
import { tryOneAgain } from '../../src/process/step-error.js';
import { endFamilies, type FamilyEndReason, startFamily } from '../../src/tokens/refresh/families-table.js';
import { firstToken } from '../../src/tokens/refresh/token.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { publish } from '../support/publish.js';

const policyOf = (id: string, refresh: string) => `id: ${id}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { refresh: ${refresh} }
`;
const policyId = `told-${randomUUID().slice(0, 8)}`;
const quietPolicyId = `quiet-${randomUUID().slice(0, 8)}`;
let live: Harness;
let taskQueue: string;
beforeAll(async () => {
  live = await openHarness();
  await publish(live.pool, policyOf(policyId, '{}'));
  await publish(live.pool, policyOf(quietPolicyId, '{ tellAfterwards: false }'));
  taskQueue = await live.startWorkers();
});
afterAll(() => live.end());

interface Made {
  readonly deviceName?: string;
  /** `null`: the app's own. */
  readonly policy?: string | null;
  readonly why?: FamilyEndReason;
  readonly endedAt?: number;
}

/** A family that a rule ended just now. */
async function ended(
  identityId: string,
  { deviceName = 'Phone', policy = policyId, why = 'unused', endedAt = Date.now() }: Made = {},
): Promise<string> {
  const familyId = randomUUID();
  const createdAt = Date.now() - 10 * dayMs;
  await startFamily(live.pool, {
    ...{ familyId, identityId, clientId: 'web', deviceName, createdAt },
    ...{ signedInAt: createdAt, address: '203.0.113.77', userAgent: 'Browser/1' },
    ...(policy !== null && { policyId: policy }),
    from: { token: firstToken(familyId, randomBytes(32)) },
  });
  await endFamilies(live.pool, { familyIds: [familyId], why }, endedAt);
  return familyId;
}

const sweep = () =>
  live.client.workflow.execute('sweepRefreshTokens', {
    taskQueue,
    workflowId: `sweep-${randomUUID()}`,
    args: [{ schemaVersion: 1 }],
  });

const mailsTo = async (address: string | undefined) =>
  (await readMailbox(inject('stack').mail.apiUrl)).filter(
    ({ to }) => address !== undefined && to.includes(address),
  );

const standAt = (identityId: string, stage: string, blockedBy: string | null = null) =>
  live.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, blocked_by, document, revision, updated_at)
     VALUES ($1, $2, now(), now(), $3, '{}', 0, now())
     ON CONFLICT (identity_id) DO UPDATE SET stage = $2, blocked_by = $3`,
    [identityId, stage, blockedBy],
  );

test('all that ended is one mail, sent once, with device, last use and the prefix of the address', async () => {
  const person = await live.people.create('told');
  await ended(person.id, { deviceName: 'Phone' });
  await ended(person.id, { deviceName: 'Tablet', why: 'lifetime' });
  expect(await sweep()).toMatchObject({ told: 1, untold: 0 });
  expect(await sweep()).toMatchObject({ told: 0, untold: 0 });
  const mails = await mailsTo(person.email);
  expect(mails.map(({ kind }) => kind)).toEqual(['access-ended']);
  const text = mails[0]?.text.replace(/\s+/g, ' ');
  for (const part of ['“Phone”', '“Tablet”', '203.0.113.0/24', 'never used']) expect(text).toContain(part);
  expect(text).not.toContain('203.0.113.77');
  await ended(person.id, { deviceName: 'Watch' });
  expect(await sweep()).toMatchObject({ told: 1 });
  expect(await mailsTo(person.email)).toHaveLength(2);
});

test('nobody is told of what they did, of old news, or under a policy that is silent or the app’s own', async () => {
  const person = await live.people.create('told');
  for (const why of ['signed_out', 'by_person', 'password_reset', 'reuse', 'account'] as const) {
    await ended(person.id, { why });
  }
  await ended(person.id, { policy: quietPolicyId });
  await ended(person.id, { policy: null });
  await ended(person.id, { endedAt: Date.now() - 7 * dayMs });
  await sweep();
  expect(await mailsTo(person.email)).toEqual([]);
});

test.each([
  ['suspended', null],
  ['revoked', null],
  ['deactivated', null],
  ['deleted', null],
  ['active', 'disabled-by-admin'],
  ['active', 'hold'],
])('a person at stage %s, blocked by %s, is told once that is over', async (stage, blockedBy) => {
  const person = await live.people.create('told');
  await ended(person.id);
  await standAt(person.id, stage, blockedBy);
  await sweep();
  expect(await mailsTo(person.email)).toEqual([]);
  await standAt(person.id, 'active');
  await sweep();
  expect(await mailsTo(person.email)).toHaveLength(1);
});

/** The activity with a mail server of the test. */
function telling(sendMail: (request: MailRequest) => Promise<MailResult>) {
  const clock = { now: async () => Date.now() };
  const { tellOfEndedTokens } = createEndedTokenActivities({ pool: live.pool, clock }, { sendMail });
  return () => new MockActivityEnvironment().run(tellOfEndedTokens);
}
const accepted: MailResult = { outcome: 'accepted', at: 0, addresses: 1 };

test('a mail that failed is tried again under the same key, and what ended since is another mail', async () => {
  const person = { id: randomUUID() };
  await ended(person.id);
  const keys: string[] = [];
  const failing = telling(async ({ key }) => {
    keys.push(key);
    throw new Error('the mail server is away');
  });
  expect(await failing()).toEqual({ told: 0, untold: 1 });
  await ended(person.id);
  const working = telling(async ({ key }) => {
    keys.push(key);
    return accepted;
  });
  expect(await working()).toEqual({ told: 2, untold: 0 });
  expect(keys.filter((key) => key === keys[0])).toHaveLength(2);
  expect(new Set(keys).size).toBe(2);
});

test('a person who was suspended after their notice was read is not told', async () => {
  const people = [randomUUID(), randomUUID()];
  for (const id of people) await ended(id);
  const told: string[] = [];
  const suspending = telling(async ({ identityId }) => {
    told.push(identityId);
    for (const id of people) if (id !== identityId) await standAt(id, 'suspended');
    return accepted;
  });
  expect(await suspending()).toEqual({ told: 1, untold: 0 });
  expect(told).toHaveLength(1);
});

test('five failures in a row end the run: the mail server is away', async () => {
  for (let nth = 0; nth < 7; nth += 1) await ended(randomUUID());
  let tried = 0;
  const away = telling(async () => {
    tried += 1;
    throw new Error('away');
  });
  expect(await away()).toEqual({ told: 0, untold: 5 });
  expect(tried).toBe(5);
  expect(await telling(async () => accepted)()).toEqual({ told: 7, untold: 0 });
});

test('people who can not be told come first: everybody else is told all the same', async () => {
  const people = Array.from({ length: 8 }, () => randomUUID());
  for (const id of people) await ended(id);
  const order: string[] = [];
  await telling(async ({ identityId }) => {
    order.push(identityId);
    throw tryOneAgain('MailServerUnavailable', 'the mailbox is full');
  })();
  const [last = ''] = order.slice(-1);
  const told: string[] = [];
  const full = telling(async ({ identityId }) => {
    if (identityId !== last) throw tryOneAgain('KratosMalformedAnswer', 'not known');
    told.push(identityId);
    return accepted;
  });
  expect(await full()).toEqual({ told: 1, untold: 7 });
  expect(told).toEqual([last]);
  expect(await telling(async () => accepted)()).toEqual({ told: 7, untold: 0 });
});
