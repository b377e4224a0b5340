/** The course of one lifecycle: held to the model of the workflow, and to itself from every day on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standingOf } from '../../src/domain/lifecycle/standing-of.js';
import type { Policy } from '../../src/domain/policy/schema.js';
import type { Standing } from '../../src/domain/standing.js';
import { courseOf, traceLine } from '../../src/forecast/course.js';
import type { Deed, MailFate } from '../../src/forecast/deed.js';
import { type Known, lifeOf } from '../../src/forecast/life-of.js';
import { type Life, Walk } from '../../src/forecast/walk.js';
import { absentState, anna, day, enabled, epoch, exactPolicy, planOf } from '../domain/fixtures.js';
import { policies } from '../domain/scenarios.js';
import { type Luck, Simulation } from '../domain/simulator.js';

const horizon = epoch + 1_200 * day;

const absent = (policy: Policy, more: Partial<Life> = {}): Life => ({
  state: absentState(),
  plan: planOf(policy),
  identity: enabled(),
  mailFate: 'accepted',
  ...more,
});

const traceOf = (life: Life, from = epoch, until = horizon) =>
  courseOf(life, from, until).deeds.map((deed) => traceLine(deed, epoch));

/** What the model of the workflow does in the same life: no happening, no delay. */
function modelled(policy: Policy, luck: Luck, enrolledAt: number): string[] {
  const { history } = new Simulation({
    policies: [policy],
    lastSeenAt: epoch,
    enrolledAt,
    happenings: [],
    luck: [luck],
    delaysMs: [0],
    until: horizon,
  }).run();
  return history.flatMap((entry): string[] => {
    if (entry.type === 'completed')
      return [traceLine({ kind: 'rung', at: entry.at, rung: entry.rung, mails: 0 }, epoch)];
    if (entry.type !== 'decided' || entry.decision.kind !== 'notice') return [];
    const { rung } = entry.decision.rung;
    return [
      traceLine({ kind: 'notice', at: entry.situation.now, rung, leadMs: 0, rungAt: 0, mails: 0 }, epoch),
    ];
  });
}

const firstTries = (lines: readonly string[]) =>
  lines.filter((line, index) => line.replace(/^\d+/, '') !== lines[index - 1]?.replace(/^\d+/, ''));

describe('the course of a person who never returns', () => {
  it('the default policy: the ladder with its notices, then the end', () => {
    expect(courseOf(absent(exactPolicy), epoch, horizon).end).toBe('finished');
    expect(traceOf(absent(exactPolicy))).toEqual([
      '30 warn',
      '60 suspend',
      '83 notice of revoke',
      '90 revoke',
      '180 winback',
      '358 notice of deactivate',
      '365 deactivate',
      '700 notice of delete',
      '723 notice of delete',
      '729 notice of delete',
      '730 delete',
    ]);
  });

  it('ten years overdue: everything is announced first, and keeps its floor', () => {
    const from = epoch + 3_650 * day;
    const trace = courseOf(absent(exactPolicy), from, from + 100 * day).deeds.map((deed) =>
      traceLine(deed, from),
    );
    expect(trace).toEqual([
      '0 warn',
      '7 suspend',
      '7 notice of revoke',
      '14 revoke',
      '14 winback',
      '14 notice of deactivate',
      '21 deactivate',
      '21 notice of delete',
      '44 notice of delete',
      '50 notice of delete',
      '51 delete',
    ]);
  });

  it('no mail address: the rungs that need no notice, then a block that says so', () => {
    const course = courseOf(absent(exactPolicy, { mailFate: 'no-address' }), epoch, horizon);
    expect(course.deeds.flatMap((deed) => (deed.kind === 'rung' ? [deed.rung] : []))).toEqual([
      'warn',
      'suspend',
      'revoke',
      'winback',
    ]);
    expect(course.deeds.every(({ mails }) => mails === 0)).toBe(true);
  });

  it.each([
    ['exempt by its account type', { plan: planOf(exactPolicy, { accountType: 'service' }) }, 'exempt'],
    [
      'disabled by an admin',
      { identity: enabled({ state: 'inactive', stateChangedAt: epoch }) },
      'disabled-by-admin',
    ],
    [
      'a step is parked',
      { state: absentState({ parked: { step: 'warn', errorType: 'X', wayOut: 'Y', since: epoch } }) },
      'parked',
    ],
  ] as const)('%s: no deed', (_title, more, end) => {
    expect(courseOf(absent(exactPolicy, more), epoch, horizon)).toEqual({ deeds: [], end });
  });

  it('a hold that ends: the ladder continues after it', () => {
    const hold = { id: 'h1', kind: 'leave', reason: 'leave', actor: 'op', since: epoch } as const;
    const state = absentState({ holds: [{ ...hold, until: epoch + 100 * day }] });
    expect(traceOf(absent(exactPolicy, { state }), epoch, epoch + 110 * day)).toEqual([
      '100 warn',
      '107 suspend',
      '107 notice of revoke',
    ]);
  });

  it('a policy that would not have acted yet: a return, then the later ladder', () => {
    const suspended = new Walk(absent(exactPolicy), epoch, () => undefined);
    suspended.goTo(epoch + 65 * day);
    const { warn, suspend } = exactPolicy.ladder;
    if (warn === undefined || suspend === undefined) throw new Error('the default ladder has these rungs');
    const later: Policy = {
      ...exactPolicy,
      ladder: {
        ...exactPolicy.ladder,
        warn: { ...warn, after: 70 * day },
        suspend: { ...suspend, after: 80 * day },
      },
    };
    const trace = traceOf({ ...absent(later), state: suspended.state }, epoch + 65 * day);
    expect(trace.slice(0, 3)).toEqual(['65 return (policy)', '70 warn', '80 suspend']);
  });

  it.each([
    'accepted',
    'rejected',
    'no-address',
  ] as const)('any ladder, mails %s, any delay before the enrolment: as the model of the workflow does it', (fate: MailFate) => {
    fc.assert(
      fc.property(fc.constantFrom(...policies), fc.integer({ min: 0, max: 900 }), (policy, days) => {
        const enrolledAt = epoch + days * day;
        const trace = traceOf(absent(policy, { mailFate: fate }), enrolledAt);
        const model = modelled(policy, fate, enrolledAt);
        // The model tries a failed notice again at an even pace, which is not the workflow's.
        const shown = fate === 'accepted' ? (lines: string[]) => lines : firstTries;
        expect(shown(trace)).toEqual(shown(model));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a course continued from a standing', () => {
  const known = (standing: Standing, policy: Policy, identity = enabled()): Known => ({
    standing: JSON.parse(JSON.stringify(standing)) as Standing,
    identity,
    planInForce: planOf(policy),
    activity: {},
    postponements: [],
    hasAddress: true,
  });

  it('any ladder, any day: the rest of the course is the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(...policies), fc.integer({ min: 0, max: 720 }), (policy, days) => {
        const cut = epoch + days * day + 1;
        const before: Deed[] = [];
        const walk = new Walk(absent(policy), epoch, (deed) => before.push(deed));
        walk.goTo(cut);
        if (walk.isDeleted) return;
        const plan = planOf(policy);
        const deactivatedAt = walk.state.rungs.deactivate?.completedAt;
        const identity =
          deactivatedAt === undefined
            ? enabled()
            : enabled({ state: 'inactive', stateChangedAt: deactivatedAt, disabledByEngine: true });
        const standing = standingOf({ state: walk.state, plan, identity, now: cut });
        const rest = courseOf(lifeOf(known(standing, policy, identity), plan, cut), cut, horizon);
        expect([...before, ...rest.deeds].map((deed) => traceLine(deed, epoch))).toEqual(
          traceOf(absent(policy)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('a sign of life since the standing: a return first', () => {
    const walk = new Walk(absent(exactPolicy), epoch, () => undefined);
    const now = epoch + 65 * day;
    walk.goTo(now);
    const plan = planOf(exactPolicy);
    const standing = standingOf({ state: walk.state, plan, identity: enabled(), now });
    const life = lifeOf({ ...known(standing, exactPolicy), activity: { human: now - day } }, plan, now);
    expect(traceOf(life, now).slice(0, 2)).toEqual(['65 return (activity)', '94 warn']);
  });

  it('the date in a warning is kept under a policy that was tightened since', () => {
    const walk = new Walk(absent(exactPolicy), epoch, () => undefined);
    const now = epoch + 32 * day;
    walk.goTo(now);
    const standing = standingOf({
      state: walk.state,
      plan: planOf(exactPolicy),
      identity: enabled(),
      now,
    });
    expect(standing.identityId).toBe(anna);
    const { suspend } = exactPolicy.ladder;
    if (suspend === undefined) throw new Error('the default ladder suspends');
    const tight: Policy = {
      ...exactPolicy,
      ladder: { ...exactPolicy.ladder, suspend: { ...suspend, after: 40 * day } },
    };
    const suspension = (announcedAt?: number) =>
      traceOf(
        lifeOf(
          { ...known(standing, exactPolicy), ...(announcedAt !== undefined && { announcedAt }) },
          planOf(tight),
          now,
        ),
        now,
      )[0];
    expect(suspension()).toBe('40 suspend');
    expect(suspension(epoch + 60 * day)).toBe('60 suspend');
  });
});
