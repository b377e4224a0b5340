/** The engine's sweep on a real Temporal server: tokens of a published policy end though nobody asks, but those of exempt owners don't. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readMailbox } from '../../dev/demo/mailbox.js';
import { readAudit } from '../../src/audit/log-table.js';
import { proposeRelease } from '../../src/breaker/decisions.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { setExemption } from '../../src/exemptions/exemptions-table.js';
import {
  insertToken,
  readToken,
  revokeToken,
  writeUses,
} from '../../src/tokens/personal/personal-tokens-table.js';
import { personalTokenSweep } from '../../src/tokens/personal/schedule.js';
import { clearBreaker } from '../support/clear-breaker.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { publish } from '../support/publish.js';
import { spoil } from '../support/spoiled.js';

const day = 86_400_000;
const policyId = `pat-${randomUUID().slice(0, 8)}`;
let live: Harness;
let taskQueue: string;
beforeAll(async () => {
  live = await openHarness();
  await clearBreaker(live.pool);
  await publish(
    live.pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
breaker: { percentFrom: 1000, stall: off, limits: { endPersonal: { atMost: 5 } } }
tokens: { personal: { inactive: 60d, longestLifetime: 300d, types: { ci: { inactive: never, longestLifetime: 2000d } } } }
`,
  );
  taskQueue = await live.startWorkers();
});
afterAll(() => live.end());

async function make(
  identityId: string,
  { ageDays, type = 'personal', expiresDays }: { ageDays: number; type?: string; expiresDays?: number },
): Promise<string> {
  const tokenId = randomUUID();
  const now = Date.now();
  await insertToken(
    live.pool,
    {
      ...{
        tokenId,
        identityId,
        type,
        name: 'laptop',
        hash: randomBytes(32),
        scopes: [],
        roles: [],
        policyId,
      },
      ...{ actor: identityId, atMost: 100 },
      ...(expiresDays === undefined ? {} : { expiresAt: now + expiresDays * day }),
    },
    now - ageDays * day,
  );
  return tokenId;
}

async function sweep(): Promise<unknown> {
  return live.client.workflow.execute('endPersonalTokens', {
    taskQueue,
    workflowId: `sweep-${randomUUID()}`,
    args: [{ schemaVersion: 1 }],
  });
}

const mailsTo = async (address: string | undefined) =>
  (await readMailbox(inject('stack').mail.apiUrl)).filter(
    ({ to }) => address !== undefined && to.includes(address),
  );

const endOf = async (tokenId: string) => (await readToken(live.pool, tokenId))?.ended;

test('tokens over a limit end once, audited with type and days; those in use and of exempt owners stay', async () => {
  const [person, service, exempted] = await Promise.all([
    live.people.create('pat'),
    live.people.create('pat', { metadataAdmin: { account_type: 'service' } }),
    live.people.create('pat'),
  ]);
  await setExemption(live.pool, {
    ...{ identityId: exempted.id, kind: 'other', reason: 'a test', owner: 'team' },
    ...{ reviewAt: Date.now() + day, actor: 'op-1', at: Date.now() },
  });
  const unknown = randomUUID();
  const stale = await make(person.id, { ageDays: 61 });
  // Over its limit, but a use of the last minutes may not be written yet.
  const justOver = await make(person.id, { ageDays: 60 + 1 / (24 * 60) });
  const used = await make(person.id, { ageDays: 61 });
  await writeUses(live.pool, [{ tokenId: used, at: Date.now() - day }]);
  const young = await make(person.id, { ageDays: 59 });
  const never = await make(person.id, { ageDays: 1_000, type: 'ci' });
  const expired = await make(person.id, { ageDays: 5, expiresDays: -1 });
  const ofService = await make(service.id, { ageDays: 61 });
  const expiredOfService = await make(service.id, { ageDays: 5, expiresDays: -1 });
  const ofExempted = await make(exempted.id, { ageDays: 61 });
  const ofNobody = await make(unknown, { ageDays: 61 });
  const beyondCeiling = await make(person.id, { ageDays: 301 });
  await writeUses(live.pool, [{ tokenId: beyondCeiling, at: Date.now() }]);

  expect(await sweep()).toMatchObject({ schemaVersion: 1, inactive: 1, expired: 3, spared: 3, failed: 0 });
  expect(await Promise.all([stale, expired, expiredOfService, beyondCeiling].map(endOf))).toEqual([
    ...['inactive', 'expired', 'expired', 'expired'],
  ]);
  for (const tokenId of [justOver, used, young, never, ofService, ofExempted, ofNobody]) {
    expect(await endOf(tokenId)).toBeUndefined();
  }
  expect(await sweep()).toMatchObject({ inactive: 0, expired: 0 });
  const ends = (await readAudit(live.pool, person.id)).filter(({ actor }) => actor === 'engine');
  expect(ends).toHaveLength(3);
  expect(ends).toContainEqual(
    expect.objectContaining({
      eventType: 'tokens_revoked_stale',
      policyId,
      policyVersion: 1,
      daysInactive: expect.closeTo(61, 1),
      detail: expect.objectContaining({
        type: 'personal',
        tokenType: 'personal',
        tokenId: stale,
        unusedDays: 61,
      }),
    }),
  );
});

test('a token of an exempt owner that was unused and expired since expires', async () => {
  const service = await live.people.create('pat', { metadataAdmin: { account_type: 'service' } });
  const tokenId = await make(service.id, { ageDays: 100, expiresDays: -1 });
  await sweep();
  expect(await endOf(tokenId)).toBe('expired');
});

test('more tokens than the breaker allows all stay until operators release them, and end then', async () => {
  const person = await live.people.create('pat');
  const stale = await Promise.all(Array.from({ length: 7 }, () => make(person.id, { ageDays: 61 })));
  expect(await sweep()).toMatchObject({ inactive: 0, held: 7, failed: 0 });
  expect(await Promise.all(stale.map(endOf))).toEqual(stale.map(() => undefined));
  const [trip] = await activeTrips(live.pool, ['endPersonal']);
  expect(trip).toMatchObject({ cause: 'limit', acts: 7 });
  // Their owner's own revocation asks nobody.
  const [mine = ''] = stale;
  expect(await revokeToken(live.pool, { tokenId: mine, actor: person.id }, Date.now())).toBe(true);
  await proposeRelease(live.pool, { tripId: trip?.id ?? 0, actor: 'op-1', reason: 'a test', at: Date.now() });
  expect(await sweep()).toMatchObject({ inactive: 6, held: 0 });
});

test('each notice is one mail, ahead of the nearest end, and to nobody who is exempt or on hold', async () => {
  const [person, service, held] = await Promise.all([
    live.people.create('pat'),
    live.people.create('pat', { metadataAdmin: { account_type: 'service' } }),
    live.people.create('pat'),
  ]);
  await live.pool.query(
    `INSERT INTO identity_hold (identity_id, hold_id, reason, set_by, set_at, until)
     VALUES ($1, 'h1', 'a test', 'op-1', now(), now() + interval '1 day')`,
    [held.id],
  );
  await make(person.id, { ageDays: 45 });
  await make(person.id, { ageDays: 20, expiresDays: 5 });
  await make(person.id, { ageDays: 20 });
  for (const owner of [service, held]) await make(owner.id, { ageDays: 45 });
  // Its inactivity would come first, which ends nothing of theirs.
  await make(service.id, { ageDays: 58, expiresDays: 5 });
  await make(held.id, { ageDays: 20, expiresDays: 5 });

  expect(await sweep()).toMatchObject({ notified: 3, unsent: 0 });
  expect(await sweep()).toMatchObject({ notified: 0, unsent: 0 });
  const mails = await mailsTo(person.email);
  expect(mails.map(({ kind }) => kind)).toEqual(['token-ends', 'token-ends']);
  expect(mails.map(({ text }) => text).filter((text) => text.includes('expiry'))).toHaveLength(1);
  for (const { text } of mails) expect(text).toContain('“laptop”');
  expect(await mailsTo(service.email)).toHaveLength(1);
  expect(await mailsTo(held.email)).toEqual([]);
});

test('an owner whom Kratos answers in a form that can not be read keeps every token, and holds up nobody', async () => {
  const [spoiled, person] = [await live.people.create('pat'), await live.people.create('pat')];
  const kratos = openKratosDatabase(inject('stack'));
  await spoil(kratos, spoiled.id);
  // Those unused longest come first.
  const theirs: string[] = [];
  for (let nth = 0; nth < 6; nth += 1) theirs.push(await make(spoiled.id, { ageDays: 100 }));
  await make(spoiled.id, { ageDays: 59 });
  const stale = await make(person.id, { ageDays: 61 });
  await make(person.id, { ageDays: 50 });
  expect(await sweep()).toMatchObject({ inactive: 1, failed: 6, notified: 1 });
  expect(await endOf(stale)).toBe('inactive');
  expect(await Promise.all(theirs.map(endOf))).toEqual(theirs.map(() => undefined));
  expect(await mailsTo(person.email)).toHaveLength(1);
  await kratos.query("UPDATE identities SET state = 'active' WHERE id = $1", [spoiled.id]);
  await kratos.end();
  await clearBreaker(live.pool);
  await revokeAll(theirs.slice(0, 2), spoiled.id);
  expect(await sweep()).toMatchObject({ inactive: 4, failed: 0 });
});

async function revokeAll(tokenIds: readonly string[], actor: string): Promise<void> {
  for (const tokenId of tokenIds) await revokeToken(live.pool, { tokenId, actor }, Date.now());
}

test('a schedule starts the sweep, and goes where it is off', async () => {
  await personalTokenSweep.sync(live.client, taskQueue, 3_600_000);
  const schedule = live.client.schedule.getHandle(personalTokenSweep.idOf(taskQueue));
  expect((await schedule.describe()).action).toMatchObject({ workflowType: 'endPersonalTokens' });
  await personalTokenSweep.sync(live.client, taskQueue, undefined);
  await expect(schedule.describe()).rejects.toThrow();
});
