/**
 * A population with random activity under random weather: afterwards the whole history of (activity, action) is judged by a
 * model that shares nothing with the engine, and what is left of the deleted is searched for.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { recordAndClaim } from '../../src/signs/claims-table.js';
import { holdUpdate, releaseUpdate, userActivitySignal } from '../../src/workflows/messages.js';
import type { LifecycleHandle } from '../support/harness/open.js';
import { recordSigns } from '../support/record-signs.js';
import { quietLog } from '../support/workers.js';
import { openVisitedGateway, type VisitedGateway } from './harness/clumsy-visitor.js';
import { dailyPolicyId } from './harness/courses.js';
import { Expedition, inLanes } from './harness/expedition.js';
import { counted, keepFigures } from './harness/figures.js';
import { leftoversIn, searchHistories, searchTables } from './harness/leftovers.js';
import { type Happened, missed, type Thresholds, wrongful } from './harness/model.js';
import { isAmbiguousForMail, kindsFor } from './harness/plan-faults.js';
import { type Doing, type Plan, randomPlan, seeded } from './harness/random-lives.js';
import { isFull, sized } from './harness/size.js';
import { openSurroundings, type Surroundings } from './harness/surroundings.js';

const log = quietLog();
const thresholds: Thresholds = { warn: 10, suspend: 20, revoke: 30, deactivate: 50, delete: 90 };
const days = 160;
/** The short form always lives the same lives. */
const seed = Number(process.env.DORMOUSE_FAULTS_SEED ?? (isFull ? Date.now() % 1_000_000 : 4_711));
const size = sized('DORMOUSE_FAULTS_PEOPLE', 1_000, 12);
/** How many requests go wrong, of all. */
const stormy = 0.01;
/**
 * Each day's doings come at another minute, so that they meet nobody in the middle of a step: the skipping server stops
 * skipping when a step is interrupted between two attempts. That case is shown on the real server (messages.test.ts).
 */
const apartMs = 9 * 60_000;
const operator = { schemaVersion: 1, actor: 'op-1' } as const;
/** These end a step for good, or cost real seconds; the others are the weather of every day. */
const tooHarsh: readonly string[] = ['slow', 'no answer', '550', '554'];

interface Being {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly password: string | undefined;
  readonly plan: Plan;
  readonly handle: LifecycleHandle;
  readonly enrolledAt: number;
  readonly signs: number[];
  readonly holds: { from: number; to?: number }[];
  readonly disabledByHand: { from: number; to?: number }[];
  readonly sessionTokens: string[];
  exemptFrom?: number;
}

/** Faults behind which a mail may have been taken, or its row may be lost. */
let lostAnswers = 0;
let surroundings: Surroundings;
let expedition: Expedition;
let gateway: VisitedGateway;
beforeAll(async () => {
  surroundings = await openSurroundings();
  expedition = await Expedition.begin(surroundings);
  gateway = await openVisitedGateway(inject('stack'));
});
afterAll(async () => {
  await gateway.close();
  await expedition.end();
  await surroundings.close();
});

/** @param random makes the weather of this one: lives go side by side, so one sequence for all would never repeat */
async function create(random: () => number, plan: Plan, startedAt: number): Promise<Being> {
  const { journey, taskQueue } = expedition;
  const email = `p-${randomUUID()}@example.com`;
  const name = `Nomen-${randomUUID().slice(0, 8)}`;
  const password = plan.canSignIn ? randomUUID() : undefined;
  const { data } = await journey.people.identities.createIdentity({
    createIdentityBody: {
      schema_id: 'person',
      traits: { email, name },
      ...(password === undefined ? {} : { credentials: { password: { config: { password } } } }),
    },
  });
  const { id } = data;
  await gateway.visit({ id, email, name });
  surroundings.book.open(id, email, undefined, (touch) => {
    if (random() >= stormy) return undefined;
    const kinds = kindsFor(touch).filter((kind) => !tooHarsh.includes(kind));
    const kind = kinds[Math.floor(random() * kinds.length)] ?? '500';
    if (isAmbiguousForMail({ ...touch, kind })) lostAnswers += 1;
    return kind;
  });
  const handle = await journey.enrol(id, taskQueue, {
    policyId: dailyPolicyId,
    activity: { human: startedAt },
  });
  const nothing = { signs: [], holds: [], disabledByHand: [], sessionTokens: [] };
  return { id, email, name, password, plan, handle, enrolledAt: startedAt, ...nothing };
}

/** @returns whether it had an effect: who is deleted does nothing any more */
async function does(being: Being, doing: Doing, at: number): Promise<void> {
  const { journey } = expedition;
  const { id, handle } = being;
  const { identities } = journey.people;
  const answer = await identities.getIdentity({ id }, { validateStatus: () => true });
  if (answer.status === 404) return;
  const setState = (value: 'active' | 'inactive') =>
    identities.patchIdentity({ id, jsonPatch: [{ op: 'replace', path: '/state', value }] });
  switch (doing.kind) {
    case 'seen':
    case 'seen in PostgreSQL': {
      const sign = { identityId: id, at, kind: doing.by, source: 'app' };
      if (doing.by !== 'machine') being.signs.push(at);
      if (doing.kind === 'seen in PostgreSQL') return recordSigns(journey.pool, [sign]);
      const due = await recordAndClaim(journey.pool, [sign], at);
      if (due.identityIds.length > 0)
        await handle.signal(userActivitySignal, { schemaVersion: 1, at, kind: doing.by, source: 'app' });
      return;
    }
    case 'signs in': {
      const { email, password = '' } = being;
      const signIn = await journey.people.signIn({ id, identifier: email, password, email });
      if (signIn === undefined) return;
      being.sessionTokens.push(signIn.sessionToken);
      await journey.kratosPool.query('UPDATE sessions SET authenticated_at = $2 WHERE id = $1', [
        signIn.sessionId,
        new Date(at),
      ]);
      being.signs.push(at);
      return;
    }
    case 'hold': {
      being.holds.push({ from: at, to: at + doing.days * dayMs });
      const request = { ...operator, reason: 'leave', until: at + doing.days * dayMs };
      await handle.startUpdate(holdUpdate, { args: [request], waitForStage: 'ACCEPTED' });
      return;
    }
    case 'release': {
      const hold = being.holds.at(-1);
      if (hold === undefined || (hold.to ?? 0) <= at) return;
      hold.to = at;
      await handle.startUpdate(releaseUpdate, {
        args: [{ ...operator, reason: 'back' }],
        waitForStage: 'ACCEPTED',
      });
      return;
    }
    case 'opt out':
      being.exemptFrom = at;
      await identities.patchIdentity({
        id,
        jsonPatch: [{ op: 'add', path: '/metadata_admin', value: { skip_stale_revocation: true } }],
      });
      return;
    case 'disabled by an admin':
      if (answer.data.state === 'inactive') return;
      being.disabledByHand.push({ from: at });
      await setState('inactive');
      return;
    case 'enabled by an admin': {
      const since = being.disabledByHand.at(-1);
      if (since === undefined) return;
      since.to = at;
      await setState('active');
    }
  }
}

async function happenedTo(being: Being, endsAt: number): Promise<Happened> {
  const { journey } = expedition;
  const answer = await journey.people.identities.getIdentity(
    { id: being.id },
    { validateStatus: () => true },
  );
  const found = await journey.pool.query<{ stage: string; parked: boolean }>(
    "SELECT stage, document ? 'parked' AS parked FROM standing WHERE identity_id = $1",
    [being.id],
  );
  const audit = await journey.audit(being.id);
  return {
    ...being,
    endsAt,
    actions: audit.map(({ occurredAt, eventType, detail }) => ({
      at: occurredAt,
      name: eventType,
      rung: detail.rung,
    })),
    stage: found.rows[0]?.stage ?? 'none',
    kratos: answer.status === 404 ? 'absent' : answer.data.state === 'inactive' ? 'inactive' : 'active',
    parked: found.rows[0]?.parked ?? false,
  };
}

test(`random lives, seed ${seed}`, async () => {
  const { journey } = expedition;
  const { mailServer, book } = surroundings;
  const random = seeded(seed);
  const startedAt = await journey.now();
  const plans = Array.from({ length: size }, () => randomPlan(random, days));
  const numbered = plans.map((plan, index) => ({ plan, weather: seeded(seed + 1 + index) }));
  const beings = await inLanes(numbered, 8, ({ plan, weather }) => create(weather, plan, startedAt));
  for (let day = 1; day <= days; day += 1) {
    await journey.travelTo(startedAt + day * (dayMs + apartMs));
    const now = await journey.now();
    if (day % 20 === 0) console.log(`day ${day} of ${days}: ${book.storms.length} faults so far`);
    for (const being of beings) {
      for (const { doing } of being.plan.doings.filter((planned) => planned.day === day))
        await does(being, doing, now);
    }
    if (day % 2 === 0) await expedition.retryParked(beings);
  }
  const endsAt = await journey.now();
  const judged = await inLanes(beings, 8, async (being) => {
    const life = await happenedTo(being, endsAt);
    return { being, life, wrongful: wrongful(life, thresholds), missed: missed(life, thresholds) };
  });
  const stuck = judged.filter(({ life }) => life.parked);
  const addresses = new Set(beings.map(({ email }) => email));
  const mails = mailServer.taken.filter(({ to }) => addresses.has(to));
  const copies = mails.length - new Set(mails.map(({ to, messageId }) => `${to} ${messageId}`)).size;

  const gone = judged.filter(({ life }) => life.kratos === 'absent').map(({ being }) => being);
  const secrets = gone.flatMap(({ email, name, password, sessionTokens }) => [
    email,
    name,
    ...(password === undefined ? [] : [password]),
    ...sessionTokens,
  ]);
  const leftovers = [
    ...(await searchTables(journey.pool, secrets)),
    ...(await searchTables(journey.kratosPool, secrets, /^(courier|selfservice)/)),
    ...(await searchHistories(
      gone.map(({ handle }) => handle),
      secrets,
    )),
    ...leftoversIn('the log of the workers', JSON.stringify(log), secrets),
    ...leftoversIn('the log of the gateway', gateway.log(), secrets),
  ];
  await keepFigures({
    part: 'population',
    tried: `${size} identities over ${days} days, seed ${seed}; ${gone.length} of them deleted`,
    steps: judged.reduce((sum, { life }) => sum + life.actions.length, 0),
    faults: book.storms.length,
    wrongful: judged.reduce((sum, one) => sum + one.wrongful.length, 0),
    missed: judged.reduce((sum, one) => sum + one.missed.length, 0),
    stuck: stuck.length,
    duplicateMails: copies,
    leftovers: leftovers.length,
    byKind: counted(book.storms),
    notes: [
      `${judged.reduce((sum, { being }) => sum + being.signs.length, 0)} signs of life; a fault at one request in ${1 / stormy}`,
      `${lostAnswers} of the faults were lost answers behind which a mail may have been taken`,
      'time is skipped, so workers are not killed here: see kills',
    ],
  });
  const bad = judged.filter((one) => one.wrongful.length + one.missed.length > 0);
  expect(
    bad.map(({ being, life, ...verdict }) => ({
      ...verdict,
      doings: being.plan.doings,
      actions: life.actions.map(({ at, name }) => `${((at - startedAt) / dayMs).toFixed(2)} ${name}`),
      end: [life.stage, life.kratos],
    })),
  ).toEqual([]);
  expect(stuck.map(({ being }) => being.id)).toEqual([]);
  expect(copies).toBeLessThanOrEqual(lostAnswers);
  expect(gone.length, 'somebody was deleted').toBeGreaterThan(0);
  expect(leftovers).toEqual([]);
  expect(gateway.log(), 'a log was kept').toContain('Server listening');
  if (isFull) expect(Object.keys(counted(book.storms)).length).toBeGreaterThan(10);
});
