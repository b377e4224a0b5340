/** People played through time: what they do, what it does, and that a seed repeats it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/domain/policy/schema.js';
import { traceLine } from '../../src/forecast/course.js';
import type { Deed } from '../../src/forecast/deed.js';
import { Walk } from '../../src/forecast/walk.js';
import { inventedCast } from '../../src/simulation/casts.js';
import { inventedPlayer } from '../../src/simulation/invented.js';
import { play } from '../../src/simulation/play.js';
import type { Habit, Happening, Player } from '../../src/simulation/player.js';
import { randomOf } from '../../src/simulation/random.js';
import { simulate } from '../../src/simulation/run.js';
import { simulationCsv, simulationJson, simulationTable } from '../../src/simulation/table.js';
import { absentState, day, enabled, epoch, exactPolicy, planOf } from '../domain/fixtures.js';
import { policies } from '../domain/scenarios.js';

const years = { from: epoch, until: epoch + 1_000 * day };

/** On these days, and never again. */
const on =
  (...days: readonly number[]): Habit =>
  (now) =>
    days.map((one) => epoch + one * day).find((at) => at > now) ?? Number.POSITIVE_INFINITY;

function player(habit: Habit, more: Partial<Player> = {}): Player {
  const life = {
    state: absentState(),
    plan: planOf(exactPolicy),
    identity: enabled(),
    mailFate: 'accepted',
  } as const;
  return { life, habit, kind: 'human', lastSeenAt: epoch, leaves: [], random: randomOf('one'), ...more };
}

interface Course {
  readonly deeds: Deed[];
  readonly happenings: Happening[];
}

function played(one: Player, share = 0, stretch = years): Course {
  const course: Course = { deeds: [], happenings: [] };
  play(
    one,
    stretch,
    { share },
    {
      deed: (deed) => course.deeds.push(deed),
      happening: (happening) => course.happenings.push(happening),
    },
  );
  return course;
}

const trace = ({ deeds }: Course) => deeds.map((deed) => traceLine(deed, epoch));
const dated = ({ happenings }: Course) =>
  happenings.map(({ at, what }) => `${Math.floor((at - epoch) / day)} ${what}`);

describe('a person', () => {
  it('who comes every 20 days is never told anything', () => {
    const everyTwenty = Array.from({ length: 50 }, (_, index) => (index + 1) * 20);
    const course = played(player(on(...everyTwenty)));
    expect(course.deeds).toEqual([]);
    expect(course.happenings).toHaveLength(50);
  });

  it('who comes back after the revocation: the ladder begins anew', () => {
    const course = played(player(on(100)), 0, { from: epoch, until: epoch + 140 * day });
    expect(trace(course)).toEqual([
      '30 warn',
      '60 suspend',
      '83 notice of revoke',
      '90 revoke',
      '100 return (activity)',
      '130 warn',
    ]);
  });

  it('at a deactivated account comes back by the link, where the policy has one', () => {
    const link = played(player(on(400)));
    expect(dated(link)).toEqual(['400 link']);
    expect(trace(link)).toContain('400 return (self-service)');
    expect(trace(link)).toContain('430 warn');
    const { selfService: _none, ...rest } = exactPolicy;
    const life = { ...player(on()).life, plan: planOf(rest as Policy) };
    const without = played(player(on(400, 410), { life }));
    expect(dated(without)).toEqual(['400 turned-away']);
    expect(trace(without).at(-1)).toBe('730 delete');
  });

  it('after the deletion is too late', () => {
    expect(dated(played(player(on(800))))).toEqual(['800 too-late']);
  });

  it('on leave does not come, and is not reached; the ladder continues after it', () => {
    const leaves = [{ from: epoch + 20 * day, until: epoch + 100 * day }];
    const course = played(player(on(40), { leaves }));
    expect(course.deeds.every(({ at }) => at >= epoch + 100 * day)).toBe(true);
    expect(course.happenings[0]).toMatchObject({ what: 'leave' });
    expect(course.happenings[1]?.at).toBeGreaterThan(epoch + 100 * day);
  });

  it('whom every notice brings back: within seven days after each, and no suspension follows', () => {
    const course = played(player(on()), 1);
    const rungs = course.deeds.flatMap((deed) => (deed.kind === 'rung' ? [deed.rung] : []));
    expect(new Set(rungs)).toEqual(new Set(['warn']));
    const back = course.deeds.flatMap((deed) => (deed.kind === 'return' ? [deed.at] : []));
    expect(back.length).toBeGreaterThan(20);
    const warned = course.deeds.flatMap((deed) => (deed.kind === 'rung' ? [deed.at] : []));
    expect(back.every((at, index) => at - (warned[index] ?? 0) <= 7 * day)).toBe(true);
  });

  it.each([
    ['exempt', { plan: planOf(exactPolicy, { accountType: 'service' }) }],
    ['disabled by hand', { identity: enabled({ state: 'inactive' }) }],
  ] as const)('%s: nothing happens, whoever comes', (_title, life) => {
    const course = played(player(on(10, 400), { life: { ...player(on()).life, ...life } }), 1);
    expect(course).toEqual({ deeds: [], happenings: [] });
  });
});

describe('the short way past visits that nothing is due between', () => {
  it('any policy, any visits: the same deeds as by deciding at every one', () => {
    const gap = fc.oneof(
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      fc.double({ min: 5, max: 120, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...policies), fc.array(gap, { maxLength: 60 }), (policy, gaps) => {
        let at = 0;
        const days = gaps.map((one) => {
          at += one;
          return at;
        });
        const life = { ...player(on()).life, plan: planOf(policy) };
        const course = played(player(on(...days), { life }));
        const slow: Deed[] = [];
        const walk = new Walk(life, epoch, (deed) => slow.push(deed));
        for (const happening of course.happenings) {
          if (happening.what === 'turned-away' || happening.what === 'too-late') continue;
          walk.goTo(happening.at);
          if (happening.what === 'link') walk.reactivate();
          walk.seen('human');
        }
        walk.goTo(years.until);
        expect(course.deeds).toEqual(slow);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a simulation', () => {
  const request = (seed: number, response = 0) => ({
    ...{ name: 'default', policy: exactPolicy, seed, days: 400, from: epoch, response },
  });
  const run = (seed: number, response = 0) =>
    simulate(request(seed, response), inventedCast(400, request(seed)));

  it('the same seed: the same figures to the last; another seed: others', async () => {
    const [one, again, other] = [await run(7), await run(7), await run(8)];
    expect(JSON.stringify(simulationJson(again))).toBe(JSON.stringify(simulationJson(one)));
    expect(other.tally.days).not.toEqual(one.tally.days);
  });

  it('counts each person once, and adds up', async () => {
    const { tally } = await run(7);
    const { persons, days, returns, ends } = tally;
    expect(tally.people).toBe(400);
    expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(400);
    expect(persons.back).toBeLessThanOrEqual(persons.touched);
    expect(persons.reached.warn).toBeGreaterThan(100);
    const total = (values: readonly number[]) => values.reduce((sum, count) => sum + count, 0);
    expect(total(days.warn)).toBeGreaterThanOrEqual(persons.reached.warn);
    expect(total(days.deactivate)).toBeGreaterThanOrEqual(persons.reached.deactivate);
    const byRung = Object.values(returns).reduce((sum, values) => sum + total(values), 0);
    expect(byRung).toBe(total(days.return));
    expect(ends.exempt).toBeGreaterThan(0);
  });

  it('notices that work: more returns, fewer revocations', async () => {
    const [none, some] = [await run(7), await run(7, 0.5)];
    expect(some.tally.persons.reached.revoke).toBeLessThan(0.7 * none.tally.persons.reached.revoke);
  });

  it('the CSV has a line for each day, and the same sums as the table', async () => {
    const simulated = await run(7);
    const [head = '', ...lines] = [...simulationCsv(simulated)].map((line) => line.trimEnd().split(','));
    expect(lines).toHaveLength(400);
    const column = [...head].indexOf('mails');
    const mails = lines.reduce((sum, cells) => sum + Number(cells[column]), 0);
    const row = simulationTable(simulated).find((line) => line.startsWith('mails')) ?? '';
    expect(Number(row.split(/ +/).at(-1))).toBe(mails);
    expect(lines[0]?.[1]).toBe('2020-01-01');
  });

  it('a limit of the breaker: the days on which it would be passed', async () => {
    const { breaker } = exactPolicy;
    const limits = { ...breaker.limits, revoke: { atMost: 20, percent: 100 } };
    const narrow = { ...request(7), policy: { ...exactPolicy, breaker: { ...breaker, limits } } };
    const simulated = await simulate(narrow, inventedCast(400, narrow));
    const over = simulated.tally.days.revoke.flatMap((count, index) => (count > 20 ? [index] : []));
    const trips = simulated.trips.filter(({ action }) => action === 'revoke');
    expect(trips.map((trip) => trip.day)).toEqual(over);
    expect(over.length).toBeGreaterThan(0);
  });

  it('a person is the same, whoever else is played', () => {
    const invention = {
      policy: exactPolicy,
      reference: { id: 'x', version: 1, hash: '' },
      seed: 3,
      until: years.until,
    };
    const [alone, again] = [inventedPlayer(invention, 5, epoch), inventedPlayer(invention, 5, epoch)];
    inventedPlayer(invention, 4, epoch);
    expect(played(alone)).toEqual(played(again));
  });
});
