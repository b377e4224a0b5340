/** What a simulation says of invented people, and what the real workflow does when the same things happen to real ones. */
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Person, PersonOptions } from '../../dev/demo/ory-people.js';
import { dayMs } from '../../src/domain/duration.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import type { Deed } from '../../src/forecast/deed.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { type Invention, inventedPlayer } from '../../src/simulation/invented.js';
import { play } from '../../src/simulation/play.js';
import type { Happening, Player } from '../../src/simulation/player.js';
import { holdUpdate, reactivateUpdate, userActivitySignal } from '../../src/workflows/messages.js';
import { type Journey, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { type Done, deedsIn } from '../support/traces.js';

let journey: Journey;
let taskQueue: string;

beforeAll(async () => {
  journey = await openHarness({ time: 'skipping' });
  taskQueue = await journey.startWorkers();
});
afterEach(() => journey.forgetLifecycles());
afterAll(() => journey.end());

/** What the work itself takes: in a simulation a deed takes no time. */
const mostApartMs = 600_000;
const days = 740;

/** Long absences, so that much happens to few people. */
const habits = [
  { name: 'rarely', share: 0.6, everyDays: 70 },
  { name: 'hardly', share: 0.3, everyDays: 200 },
  { name: 'left', share: 0.1, everyDays: null },
] as const;
/** A notice brings back one in five. */
const response = { share: 0.2 };

interface Story {
  readonly deeds: Deed[];
  readonly happenings: Happening[];
}

function simulated(player: Player, from: number): Story {
  const story: Story = { deeds: [], happenings: [] };
  play(player, { from, until: from + days * dayMs }, response, {
    deed: (deed) => story.deeds.push(deed),
    happening: (happening) => story.happenings.push(happening),
  });
  return story;
}

/** People to whom the simulation says that such things happen; the number of the first one by each. */
const features: Readonly<Record<string, (story: Story, player: Player) => boolean>> = {
  'reached by a deletion': ({ deeds }) =>
    deeds.some((deed) => deed.kind === 'rung' && deed.rung === 'delete'),
  'back three times': ({ deeds }) => deeds.filter(({ kind }) => kind === 'return').length > 2,
  'on leave': ({ happenings }) => happenings.some(({ what }) => what === 'leave'),
  'back by link or turned away': ({ happenings }) =>
    happenings.some(({ what }) => what === 'link' || what === 'turned-away'),
  'never seen': (_story, { life }) => Object.keys(life.state.activity).length === 0,
  'without an address': (_story, { life }) => life.mailFate === 'no-address',
};

/** Each seed shows some of them: each life is walked to every happening of all others, so a few say as much as many. */
const shownBy = [
  ['reached by a deletion', 'back three times', 'on leave'],
  ['back by link or turned away', 'never seen', 'without an address'],
] as const;

function choose(invention: Invention, from: number): Map<string, number> {
  const wanted = shownBy[invention.seed % 2] ?? [];
  const chosen = new Map<string, number>();
  for (let index = 0; index < 3_000 && chosen.size < wanted.length; index += 1) {
    const player = inventedPlayer(invention, index, from);
    // What Kratos can't be brought to here: a server that refuses the mails of one person.
    if (player.life.mailFate === 'rejected') continue;
    const story = simulated(player, from);
    for (const name of wanted) {
      const has = features[name] ?? (() => false);
      if (!chosen.has(name) && ![...chosen.values()].includes(index) && has(story, player))
        chosen.set(name, index);
    }
  }
  return chosen;
}

interface Cast {
  readonly name: string;
  readonly person: Person;
  readonly kind: Player['kind'];
  readonly handle: LifecycleHandle;
  readonly story: Story;
}

/** The person in Kratos who is as the invented one. */
async function begin(invention: Invention, name: string, index: number): Promise<Cast> {
  const { subject, life } = inventedPlayer(invention, index, 0);
  const { accountType, adminRole } = subject;
  const options: PersonOptions = {
    hasAddress: life.mailFate !== 'no-address',
    metadataAdmin: {
      ...(accountType !== undefined && { account_type: accountType }),
      ...(adminRole !== undefined && { role: adminRole }),
    },
  };
  const person = await journey.people.create(`simulated-${invention.seed}-${index}`, options);
  const from = await journey.now();
  const player = inventedPlayer({ ...invention, until: from + days * dayMs }, index, from, person.id);
  await journey.dateIdentity(person.id, player.lastSeenAt);
  const handle = await journey.enrol(person.id, taskQueue, {
    policyId: invention.policy.id,
    activity: player.life.state.activity,
  });
  const story = simulated(player, from);
  return {
    name: `${invention.policy.id}, seed ${invention.seed}: ${name}`,
    person,
    kind: player.kind,
    handle,
    story,
  };
}

async function happen({ handle, person, kind }: Cast, { what, until = 0 }: Happening) {
  const at = await journey.now();
  const decision = { schemaVersion: 1, reason: 'leave' } as const;
  if (what === 'link') {
    const deactivated = (await journey.audit(person.id)).findLast(
      ({ eventType }) => eventType === 'account_deactivated',
    );
    const linkFor = deactivated?.occurredAt ?? 0;
    await handle.executeUpdate(reactivateUpdate, { args: [{ ...decision, actor: 'self-service', linkFor }] });
  }
  if (what === 'leave')
    await handle.executeUpdate(holdUpdate, { args: [{ ...decision, actor: 'op-1', kind: 'leave', until }] });
  if (what === 'seen' || what === 'link')
    await handle.signal(userActivitySignal, { schemaVersion: 1, kind, source: 'app', at });
}

const doneOf = (deed: Deed): Done => ({
  what:
    deed.kind === 'rung'
      ? deed.rung
      : deed.kind === 'notice'
        ? `notice of ${deed.rung}`
        : `return (${deed.cause})`,
  at: deed.at,
});

/** A notice that reaches nobody is tried again for ever, and the audit log has only the first try. */
const firstTries = (done: readonly Done[]) =>
  done.filter(
    ({ what }, index) =>
      !what.startsWith('notice') || what !== done[index - 1]?.what || what.endsWith('delete'),
  );

/** Two years of six lives, on a machine that does something else as well. */
vi.setConfig({ testTimeout: 900_000 });

describe('a simulation and the real workflow', () => {
  test('two seeds: the same trace for the same person and the same happenings', async () => {
    const casts: Cast[] = [];
    const start = await journey.now();
    const file = 'policies/default.yaml';
    const text = await readFile(file, 'utf8');
    const policy: Policy = parsePolicyFile(text, file);
    await journey.publish(text);
    for (const seed of [1, 2]) {
      const reference = { id: policy.id, version: 1, hash: '' };
      const now = await journey.now();
      const invention = { policy, reference, seed, until: now + days * dayMs, habits };
      for (const [name, index] of choose(invention, now)) casts.push(await begin(invention, name, index));
    }
    const all = casts.flatMap((cast) => cast.story.happenings.map((happening) => ({ cast, happening })));
    for (const { cast, happening } of all.sort((one, other) => one.happening.at - other.happening.at)) {
      await journey.travelTo(happening.at + 1_000);
      await happen(cast, happening);
    }
    await journey.travelTo(start + days * dayMs);
    for (const { name, person, story } of casts) {
      const real = firstTries(deedsIn(await journey.audit(person.id)));
      const told = firstTries(story.deeds.map(doneOf));
      expect(
        real.map(({ what }) => what),
        name,
      ).toEqual(told.map(({ what }) => what));
      const apart = real.map(({ at }, index) => Math.abs(at - (told[index]?.at ?? 0)));
      expect(Math.max(0, ...apart), `${name}: how far apart`).toBeLessThan(mostApartMs);
    }
    // Otherwise the test would compare little.
    const kinds = new Set(casts.flatMap(({ story }) => story.deeds.map((deed) => doneOf(deed).what)));
    expect([...kinds]).toEqual(
      expect.arrayContaining(['return (activity)', 'return (self-service)', 'notice of delete', 'delete']),
    );
    expect(all.map(({ happening }) => happening.what)).toContain('leave');
  });
});
