/** Parked steps on the real stack: one broken identity delays no other; skipped and retried by operators. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectDormouse } from '../../src/client/direct-types.js';
import { retryAll } from '../../src/standings/retry-all.js';
import { parkedPage } from '../../src/worklist/parked.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import {
  fastPolicy,
  fresh,
  makeFit,
  makeUnfit,
  openOutside,
  publish,
  stateOf,
  unknownId,
} from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';
import { quietLog } from '../support/workers.js';

quietLog();
const outside = openOutside();
const { people, pool, stack, kratosDatabase } = outside;
const actor = 'op-1';
/** Calls to Kratos that a worker has under way at once (src/worker/workers.ts). */
const slotsForKratos = 20;
let live: Harness;
let kratos: FaultProxy;
let dormouse: DirectDormouse;
let policyId: string;
let desk: Desk;
let operator: Operator;
let taskQueue: string;

beforeAll(async () => {
  kratos = await startFaultProxy(stack.kratos.adminUrl);
  live = await openHarness();
  taskQueue = await live.startWorkers({ DORMOUSE_KRATOS_ADMIN_URL: kratos.url });
  desk = await openDesk({ taskQueue });
  operator = await desk.operator();
  policyId = (await publish(pool, fastPolicy(fresh('parked')))).id;
  dormouse = createDormouse({
    ...{ temporal: stack.temporal, postgresUrl: stack.postgres.url, taskQueue, policyId },
    timeoutMs: 30_000,
    requestTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  await desk.close();
  await dormouse.close();
  await live.end();
  await kratos.close();
  await outside.close();
});

const standsAt = (id: string, stage: string) =>
  eventually(`${stage}`, async () => (await dormouse.standing(id))?.stage === stage);
const parkedOf = (id: string) => eventually('its parking', async () => (await dormouse.standing(id))?.parked);

async function unfit(): Promise<string> {
  const { id } = await people.create('parked');
  await makeUnfit(kratosDatabase, id);
  await dormouse.enrol(id);
  expect(await parkedOf(id)).toMatchObject({ step: 'deactivate', errorType: 'IdentityDoesNotFitSchema' });
  return id;
}

describe('one broken identity', () => {
  it('is parked after bounded retries, while others continue, and continues when it is mended', async () => {
    const broken = await people.create('broken');
    // Kratos fails only writes to this identity; its looks are answered.
    const body = JSON.stringify({ error: { code: 500 } });
    kratos.inject({ kind: 'answer', status: 500, body }, new RegExp(`^(PATCH|DELETE) .*${broken.id}`));
    await dormouse.enrol(broken.id);
    const others = await Promise.all([
      people.create('other'),
      people.create('other'),
      people.create('other'),
    ]);
    for (const { id } of others) await dormouse.enrol(id);
    for (const { id } of others) await standsAt(id, 'deactivated');
    expect((await dormouse.standing(broken.id))?.stage).toBe('active');
    expect(await parkedOf(broken.id)).toMatchObject({ errorType: 'KratosFailed' });
    const attempts = kratos.requests.length;
    // A parked identity makes no requests; others do.
    const later = await people.create('other');
    await dormouse.enrol(later.id);
    await standsAt(later.id, 'deactivated');
    expect(kratos.requests.slice(attempts).filter((line) => line.includes(broken.id))).toEqual([]);
    kratos.heal();
    await dormouse.retryParked(broken.id, { actor });
    await standsAt(broken.id, 'deactivated');
  });

  it('that hangs delays others by its call’s time limit at most, even if more hang than there are slots', async () => {
    const patient = fastPolicy(fresh('hanging')).replace(
      /^retry:.*$/m,
      'retry: { attempts: 5, firstAfter: 30s, longestAfter: 30s }',
    );
    const { id: patience } = await publish(pool, patient);
    const hanging = await Promise.all(
      Array.from({ length: slotsForKratos + 5 }, async () => (await people.create('hanging')).id),
    );
    const deed = new RegExp(`^PATCH .*(${hanging.join('|')})`);
    kratos.inject({ kind: 'no-answer' }, deed);
    await Promise.all(hanging.map((id) => dormouse.enrol(id, { policyId: patience })));
    await eventually(
      'every slot is taken',
      async () => kratos.requests.filter((line) => deed.test(line)).length >= slotsForKratos,
      100_000,
    );
    const { id } = await people.create('healthy');
    await dormouse.enrol(id);
    await eventually(
      'the healthy one is deactivated',
      async () => (await dormouse.standing(id))?.stage === 'deactivated',
      100_000,
    );
    for (const one of hanging) {
      const standing = await dormouse.standing(one);
      expect([standing?.stage, standing?.parked]).toEqual(['active', undefined]);
    }
    kratos.heal();
    // The breaker counts for all files together.
    await pool.query('DELETE FROM breaker_grant WHERE identity_id = ANY($1)', [hanging]);
  }, 240_000);
});

describe('skip', () => {
  it('leaves the rung undone for this absence, audited with actor and reason', async () => {
    const id = await unfit();
    const request = { actor, reason: 'the desk cleans it up', requestId: 'desk-1' };
    const standing = await dormouse.skipParked(id, request);
    expect([standing.stage, standing.parked, standing.blocked]).toEqual(['active', undefined, undefined]);
    expect((await dormouse.skipParked(id, request)).parked).toBeUndefined();
    const skipped = (await readAudit(pool, id)).filter(({ eventType }) => eventType === 'parked_skipped');
    expect(skipped).toMatchObject([
      { actor, detail: { step: 'deactivate', reason: 'the desk cleans it up' } },
    ]);
    expect(await stateOf(people, id)).toBe('active');
  });

  it('is refused if nothing is parked, and for a look', async () => {
    const { id } = await people.create('parked');
    await dormouse.enrol(id, { policyId: fresh('never') });
    expect(await parkedOf(id)).toMatchObject({ step: 'look' });
    const refused = await rejection(dormouse.skipParked(id, { actor, reason: 'away with it' }));
    expect(refused.message).toMatch(/a look can't be skipped.*apply another policy/);
    const fit = await people.create('parked');
    await dormouse.enrol(fit.id);
    await eventually('its standing', () => dormouse.standing(fit.id));
    const nothing = await rejection(dormouse.skipParked(fit.id, { actor, reason: 'x' }));
    expect(nothing.message).toMatch(/no step is parked/);
  });
});

describe('the command', () => {
  const command = (...args: string[]) => operator.typed(['parked', ...args]);

  it('lists, retries and skips', async () => {
    const [retried, skipped] = [await unfit(), await unfit()];
    const list = await command('list', '--error', 'IdentityDoesNotFitSchema');
    const line = list.stdout.split('\n').find((one) => one.startsWith(retried));
    expect(line).toMatch(/deactivate {2}IdentityDoesNotFitSchema {2}\d{4}-.*Z {2}\w+/);
    expect((await command('list', '--error', 'NoSuchError')).stdout).toBe('');
    const json = (await command('list', '--json')).stdout.split('\n').map((one) => JSON.parse(one));
    expect(json).toContainEqual(expect.objectContaining({ identityId: skipped, step: 'deactivate' }));

    await makeFit(kratosDatabase, retried);
    expect((await command('retry', retried)).exitCode).toBe(0);
    await standsAt(retried, 'deactivated');
    const done = await command('skip', skipped, '--reason', 'by hand');
    expect(done.exitCode, done.all).toBe(0);
    expect((await dormouse.standing(skipped))?.parked).toBeUndefined();
    expect((await command('list')).stdout).not.toMatch(new RegExp(`${retried}|${skipped}`));
  });

  it.each([
    [['retry'], /say whose: an identity, --error TYPE, or --all/],
    [['retry', '--all', '--rate', '0'], /--rate: must be a number from 0\.1 to 100/],
    [['skip', unknownId()], /--reason/],
  ])('refuses %j', async (args, message) => {
    const answer = await command(...args);
    expect(answer.exitCode).not.toBe(0);
    expect(answer.all).toMatch(message);
  });
});

describe('retry of many', () => {
  it('wakes the lifecycles with one error; others stay as they are', async () => {
    const ids = [await unfit(), await unfit()];
    const { parked } = await parkedPage(pool, { error: 'IdentityDoesNotFitSchema', rows: 1_000 });
    const listed = parked.map(({ identityId }) => identityId);
    expect(listed).toEqual(expect.arrayContaining(ids));
    for (const id of ids) await makeFit(kratosDatabase, id);
    const enrolled = await people.create('fit');
    await dormouse.enrol(enrolled.id);
    await eventually('its standing', () => dormouse.standing(enrolled.id));
    const all = [...ids, enrolled.id, unknownId()];
    expect(await retryAll(live.client, all, { actor, perSecond: 100 })).toEqual({ told: 3, gone: 1 });
    for (const id of ids) await standsAt(id, 'deactivated');
  });
});
