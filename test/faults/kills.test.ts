/**
 * The worker dies by SIGKILL before and after every call of every course, and another one takes over: what a person sees
 * happens once all the same. Real time on the real Temporal server, in ladders of seconds; the calls come from a clean run.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { verifyAudit } from '../../src/audit/verification.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { testIdentifierKey } from '../support/system-outside.js';
import { isAsleep } from '../support/under-way.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';
import { CallBook } from './harness/call-book.js';
import { counted, keepFigures } from './harness/figures.js';
import { judge } from './harness/judge.js';
import { callsOf, type Kill, wasKilled, writeKillPlan } from './harness/kill-plan.js';
import { deletionNoticedAt, type MailServer, startMailServer } from './harness/mail-server.js';
import { type QuickCourse, quickCourses, quickPolicies } from './harness/quick-courses.js';
import { isFull, sized, spread } from './harness/size.js';
import { WorkerRelay } from './harness/worker-relay.js';

quietLog();
/** Those that take a few seconds; the whole ladder takes twenty. */
const chosenCourses = isFull ? quickCourses : quickCourses.filter(({ end }) => end === 'active');
/** How many lives may try to come by a place. */
const rounds = 3;
/** Calls whose number is not the same in each life. */
const varying = /^(assess|record|publishStage)#/;
const patience = { timeoutMs: 1_500_000, everyMs: 500 };
let live: Harness;
let relay: WorkerRelay;
let mailServer: MailServer;
let directory: string;
const taskQueue = `kills-${randomUUID().slice(0, 8)}`;

interface Mortal {
  readonly id: string;
  readonly email: string;
  readonly course: QuickCourse;
  readonly kill?: Kill | undefined;
  readonly handle: LifecycleHandle;
}

beforeAll(async () => {
  const stack = inject('stack');
  live = await openHarness();
  for (const policy of quickPolicies) await live.publish(policy);
  mailServer = await startMailServer(new CallBook());
  directory = await mkdtemp(join(tmpdir(), 'dormouse-kills-'));
  relay = new WorkerRelay(
    {
      directory,
      address: stack.temporal.address,
      taskQueue,
      workflowBundlePath: inject('workflowBundlePath'),
    },
    {
      ...inject('environment'),
      DORMOUSE_SMTP_URL: mailServer.url,
      DORMOUSE_POSTGRES_URL: stack.postgres.runtimeUrl,
      DORMOUSE_IDENTIFIER_KEY: testIdentifierKey,
    },
  );
  relay.start();
});
afterAll(async () => {
  await relay.end();
  await live.end();
  await mailServer.close();
  await rm(directory, { recursive: true, force: true });
});

async function create(): Promise<{ id: string; email: string }> {
  const email = `k-${randomUUID()}@example.com`;
  const { data } = await live.people.identities.createIdentity({
    createIdentityBody: { schema_id: 'person', traits: { email } },
  });
  return { id: data.id, email };
}

/** Lets a party live to the end, one request of a person or an operator included. */
async function lives(party: readonly { course: QuickCourse; kill?: Kill }[]): Promise<Mortal[]> {
  const people = await Promise.all(party.map(async (one) => ({ ...one, ...(await create()) })));
  writeKillPlan(
    directory,
    Object.fromEntries(people.flatMap(({ id, kill }) => (kill === undefined ? [] : [[id, kill]]))),
  );
  const mortals = await Promise.all(
    people.map(async (person) => ({
      ...person,
      handle: await live.enrol(person.id, taskQueue, { policyId: person.course.policyId }),
    })),
  );
  await Promise.all(
    mortals.map(async ({ course, id, handle }) => {
      if (course.act === undefined) return;
      await until(`${course.act.after} of ${id}`, async () => hasHappened(id, course.act?.after), patience);
      await course.act.deed(live, { id, handle });
    }),
  );
  await Promise.all(
    mortals.map(async (mortal) => until(`the end of ${mortal.id}`, () => isOver(mortal), patience)),
  );
  return mortals;
}

async function hasHappened(id: string, event: string | undefined): Promise<boolean> {
  return (await live.audit(id)).some(({ eventType }) => eventType === event);
}

async function isOver({ id, course, handle }: Mortal): Promise<boolean> {
  if (course.end === 'deleted') return (await handle.describe()).status.name === 'COMPLETED';
  if (!(await hasHappened(id, course.deeds.at(-1)))) return false;
  return isAsleep(handle);
}

async function verdictOf({ id, email, course }: Mortal) {
  const { identities } = live.people;
  const answer = await identities.getIdentity({ id }, { validateStatus: () => true });
  const isShell = JSON.stringify(answer.data.traits ?? {}).includes('@example.invalid');
  const state = answer.data.state === 'inactive' ? 'inactive' : 'active';
  const mails = mailServer.taken.filter(({ to }) => to === email);
  return judge({
    id,
    email,
    course,
    fault: undefined,
    struck: true,
    audit: await live.audit(id),
    mails,
    ...deletionNoticedAt(mails),
    kratos: answer.status === 404 ? 'absent' : isShell ? 'shell' : state,
    isOver: true,
    isParked: false,
    copiesAllowed: Number.POSITIVE_INFINITY,
  });
}

test('killed before and after each call, and done once all the same', async () => {
  const clean = await lives(chosenCourses.map((course) => ({ course })));
  for (const mortal of clean) {
    const { wrongful, missed, stuck, problems, duplicates } = await verdictOf(mortal);
    expect({ course: mortal.course.name, wrongful, missed, stuck, problems, duplicates }).toEqual({
      course: mortal.course.name,
      ...{ wrongful: [], missed: [], stuck: [], problems: [], duplicates: 0 },
    });
  }
  const places = clean.flatMap(({ course, id }) => {
    const calls = callsOf(directory, id);
    const from = course.firstCall === undefined ? 0 : Math.max(0, calls.indexOf(course.firstCall));
    return calls
      .slice(from)
      .flatMap((call) =>
        (['before', 'after'] as const).map((moment) => ({ course, kill: { call, moment } })),
      );
  });
  const chosen = spread(places, sized('DORMOUSE_FAULTS_KILLS', 100_000, 4));
  const deathsBefore = relay.deaths;
  const judged: { mortal: Mortal; verdict: Awaited<ReturnType<typeof verdictOf>> }[] = [];
  const atOnce = 40;
  let left = chosen;
  for (let round = 1; left.length > 0 && round <= rounds; round += 1) {
    const dead = new Set<string>();
    for (let from = 0; from < left.length; from += atOnce) {
      for (const mortal of await lives(left.slice(from, from + atOnce))) {
        judged.push({ mortal, verdict: await verdictOf(mortal) });
        if (wasKilled(directory, mortal.id)) dead.add(placeOf(mortal));
      }
    }
    left = left.filter((place) => !dead.has(placeOf(place)));
  }
  const sum = (count: (each: (typeof judged)[number]) => number) =>
    judged.reduce((total, each) => total + count(each), 0);
  const duplicateMails = sum(({ verdict }) => verdict.duplicates);
  await keepFigures({
    part: 'kills',
    tried: `${chosen.length} of ${places.length} places (before and after each call of ${chosenCourses.length} courses)`,
    steps: sum(({ mortal }) => callsOf(directory, mortal.id).length),
    faults: relay.deaths - deathsBefore,
    wrongful: sum(({ verdict }) => verdict.wrongful.length),
    missed: sum(({ verdict }) => verdict.missed.length),
    stuck: sum(({ verdict }) => verdict.stuck.length),
    duplicateMails,
    byKind: counted(chosen.map(({ kill }) => `${kill.moment} ${kill.call.split('#')[0]}`)),
    notes: [
      'each death also hits what other lifecycles have under way at that moment',
      `${left.length} places were not come by in ${rounds} lives: how often is looked and recorded varies in real time`,
    ],
  });
  expect(left.filter(({ kill }) => !varying.test(kill.call))).toEqual([]);
  const bad = judged.filter(({ verdict: { wrongful, missed, stuck, problems } }) =>
    [wrongful, missed, stuck, problems].some((list) => list.length > 0),
  );
  expect(
    bad.map(({ mortal: { course, kill }, verdict }) => ({ course: course.name, kill, ...verdict })),
  ).toEqual([]);
  // A copy needs a death between the server's answer and the row that keeps it.
  expect(duplicateMails).toBeLessThanOrEqual(relay.deaths);
  expect(copiesOfOne(mailServer)).toBeLessThanOrEqual(2);
  expect((await verifyAudit(live.pool)).brokenAt).toBeUndefined();
});

function placeOf({ course, kill }: Pick<Mortal, 'course' | 'kill'>): string {
  return `${course.name} ${kill?.moment} ${kill?.call}`;
}

/** How often the mail came that came most often. */
function copiesOfOne({ taken }: MailServer): number {
  return Math.max(0, ...Object.values(counted(taken.map(({ to, messageId }) => `${to} ${messageId}`))));
}
