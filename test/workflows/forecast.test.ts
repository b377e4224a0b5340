/** What a forecast says of a life, and what the real workflow does in it: the same deeds, at the same times. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Person, PersonOptions } from '../../dev/demo/ory-people.js';
import { dayMs } from '../../src/domain/duration.js';
import { initialState } from '../../src/domain/lifecycle/state.js';
import { type Plan, type PolicySubject, planFor } from '../../src/domain/plan.js';
import { courseOf } from '../../src/forecast/course.js';
import type { Deed, MailFate } from '../../src/forecast/deed.js';
import { lifeOf } from '../../src/forecast/life-of.js';
import { type Life, Walk } from '../../src/forecast/walk.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { holdUpdate, userActivitySignal } from '../../src/workflows/messages.js';
import { defaultPolicy } from '../domain/fixtures.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { type Done, deedsIn } from '../support/traces.js';
import { publishPolicyFile } from '../support/workers.js';

let journey: Journey;
let taskQueue: string;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers();
  await publishPolicyFile(journey.pool, 'policies/default.yaml');
});
afterEach(() => journey.forgetLifecycles());
afterAll(() => journey.end());

/** What the work itself takes: in a forecast a deed takes no time. */
const mostApartMs = 600_000;

interface Story {
  readonly person?: PersonOptions;
  readonly subject?: Partial<PolicySubject>;
  /** Days before the enrolment. */
  readonly lastSeen?: number;
  readonly mails?: MailFate;
  /** On these days the person is seen. */
  readonly seenOn?: readonly number[];
  /** A leave, from the first day until the second one. */
  readonly leave?: readonly [number, number];
}

// biome-ignore format: a table
const stories: Readonly<Record<string, Story>> = {
  'absent until deleted': {},
  'an admin': { person: { metadataAdmin: { role: 'admin' } }, subject: { adminRole: 'admin' } },
  'a role in the traits that only tightens': { person: { traits: { role: 'admin' } }, subject: { traitsRole: 'admin' } },
  'two years overdue at the enrolment': { lastSeen: 800 },
  'half a year overdue at the enrolment': { lastSeen: 200 },
  'without a mail address': { person: { hasAddress: false }, mails: 'no-address' },
  'exempt': { person: { metadataAdmin: { account_type: 'service' } }, subject: { accountType: 'service' } },
  'seen twice, off the bottom and at it': { seenOn: [31, 50] },
  'seen after the revocation': { seenOn: [95] },
  'seen after the notice, before the revocation': { seenOn: [84, 200] },
  'on leave after the warning': { leave: [35, 100] },
};

interface Cast {
  readonly name: string;
  readonly story: Story;
  readonly person: Person;
  readonly handle: LifecycleHandle;
  readonly life: Life;
  readonly startedAt: number;
}

async function begin([name, story]: [string, Story]): Promise<Cast> {
  const person = await journey.people.create(`forecast-${fileSafe(name)}`, story.person);
  const startedAt = await journey.now();
  const seenAt = startedAt - (story.lastSeen ?? 0) * dayMs;
  await journey.dateIdentity(person.id, seenAt);
  const activity = { human: seenAt };
  const handle = await journey.enrol(person.id, taskQueue, { activity });
  return { name, story, person, handle, startedAt, life: lifeFrom(person, story, seenAt, startedAt) };
}

const fileSafe = (name: string) =>
  name
    .replace(/[^a-z]+/gi, '-')
    .slice(0, 24)
    .toLowerCase();

function planOf({ id }: Person, { subject }: Story): Plan {
  const known: PolicySubject = { identityId: id, schemaId: 'person', optedOut: false, ...subject };
  return planFor(defaultPolicy, { id: 'default', version: 1, hash: '' }, known);
}

function lifeFrom(person: Person, story: Story, seenAt: number, now: number): Life {
  const state = {
    ...initialState(person.id, { id: 'default' }, now),
    activity: { human: seenAt },
    known: true,
  };
  const identity = {
    state: 'active',
    stateChangedAt: seenAt,
    createdAt: seenAt,
    disabledByEngine: false,
    publishedStage: 'active',
  } as const;
  return { state, identity, plan: planOf(person, story), mailFate: story.mails ?? 'accepted' };
}

/** The forecast of the whole story, sign by sign. */
function forecast({ life, story, startedAt }: Cast, untilDay: number): Done[] {
  const deeds: Deed[] = [];
  const walk = new Walk(life, startedAt, (deed) => deeds.push(deed));
  for (const day of story.seenOn ?? []) {
    walk.goTo(startedAt + day * dayMs);
    walk.seen('human');
  }
  if (story.leave !== undefined) {
    const [from, until] = story.leave.map((day) => startedAt + day * dayMs) as [number, number];
    walk.goTo(from);
    walk.hold({ kind: 'leave', reason: 'leave', actor: 'op-1', since: from, until });
  }
  walk.goTo(startedAt + untilDay * dayMs);
  return deeds.map(doneOf);
}

function doneOf(deed: Deed): Done {
  if (deed.kind === 'rung') return { what: deed.rung, at: deed.at };
  return {
    what: deed.kind === 'notice' ? `notice of ${deed.rung}` : `return (${deed.cause})`,
    at: deed.at,
  };
}

async function actOn(casts: readonly Cast[], day: number): Promise<void> {
  for (const { story, handle, startedAt } of casts) {
    if (story.seenOn?.includes(day)) {
      const at = await journey.now();
      await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at });
    }
    if (story.leave?.[0] !== day) continue;
    const until = startedAt + (story.leave[1] ?? 0) * dayMs;
    await handle.executeUpdate(holdUpdate, {
      args: [{ schemaVersion: 1, actor: 'op-1', kind: 'leave', reason: 'leave', until }],
    });
  }
}

function expectSame(real: readonly Done[], told: readonly Done[], name: string): void {
  expect(
    real.map(({ what }) => what),
    name,
  ).toEqual(told.map(({ what }) => what));
  const apart = real.map(({ at }, index) => Math.abs(at - (told[index]?.at ?? 0)));
  expect(Math.max(0, ...apart), `${name}: how far apart`).toBeLessThan(mostApartMs);
}

/** A notice that reaches nobody is tried again for ever, and the audit log has only the first try. */
const firstTries = (done: readonly Done[]) =>
  done.filter(
    ({ what }, index) =>
      !what.startsWith('notice') || what !== done[index - 1]?.what || what.endsWith('delete'),
  );

/** Two years of eleven lives, on a machine that does something else as well. */
vi.setConfig({ testTimeout: 600_000 });

describe('a forecast and the real workflow', () => {
  test('eleven lives of 740 days: the same deeds at the same times, and again from the standing of day 66', async () => {
    const casts = [];
    for (const entry of Object.entries(stories)) casts.push(await begin(entry));
    const first = casts[0]?.startedAt ?? 0;
    const days = [31, 35, 50, 66, 84, 95, 200, 740];
    const later = new Map<string, Done[]>();
    for (const day of days) {
      await journey.travelTo(first + day * dayMs + 60_000);
      await actOn(casts, day);
      if (day === 66)
        for (const cast of casts) later.set(cast.name, await fromStanding(cast, first + 740 * dayMs));
    }
    for (const cast of casts) {
      const real = deedsIn(await journey.audit(cast.person.id));
      expectSame(firstTries(real), firstTries(forecast(cast, 740)), cast.name);
      if ((cast.story.seenOn ?? []).some((day) => day > 66)) continue;
      const rest = firstTries(real.filter(({ at }) => at > first + 66 * dayMs + 60_000));
      expectSame(rest, firstTries(later.get(cast.name) ?? []), `${cast.name}, from its standing`);
    }
  });
});

/** The forecast of the rest, from nothing but the projection and the time. */
async function fromStanding({ person, story, life }: Cast, until: number): Promise<Done[]> {
  const standing = await readStanding(journey.pool, person.id);
  if (standing === undefined) throw new Error('the lifecycle has no standing');
  const now = await journey.now();
  const plan = planOf(person, story);
  const isDeactivated = standing.completed.deactivate;
  const known = {
    standing,
    identity:
      isDeactivated === undefined
        ? life.identity
        : {
            ...life.identity,
            state: 'inactive' as const,
            stateChangedAt: isDeactivated,
            disabledByEngine: true,
          },
    planInForce: plan,
    activity: {},
    postponements: [],
    hasAddress: story.mails !== 'no-address',
  };
  return courseOf(lifeOf(known, plan, now), now, until).deeds.map(doneOf);
}
