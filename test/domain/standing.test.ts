/** The standing as an operator reads it. */
import { expect, it } from 'vitest';
import type { FoundIdentity } from '../../src/domain/lifecycle/assessment.js';
import { standingOf } from '../../src/domain/lifecycle/standing-of.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import type { Standing } from '../../src/domain/standing.js';
import { absentState, day, enabled, epoch, planOf, smallPolicy } from './fixtures.js';

const plan = planOf();
const done = (days: number) => ({
  begunAt: epoch + days * day,
  completedAt: epoch + days * day,
  inactiveSince: epoch,
  afterMs: days * day,
});

function standingAt(
  days: number,
  more: Partial<LifecycleState> = {},
  identity: FoundIdentity | undefined = enabled(),
  other = plan,
): Standing {
  return standingOf({ state: absentState(more), plan: other, identity, now: epoch + days * day });
}

it('has the stage, the next step with its time, and the reason', () => {
  expect(standingAt(41, { rungs: { warn: done(30) }, stageSince: epoch + 30 * day })).toEqual({
    schemaVersion: 1,
    identityId: absentState().identityId,
    stage: 'warned',
    since: epoch + 30 * day,
    lastActiveAt: epoch,
    activity: { human: epoch },
    next: { step: 'rung', rung: 'suspend', at: epoch + 60 * day },
    why: 'No sign of life that counts for 41 days; next is suspend at 2020-03-01T00:00:00.000Z.',
    notices: [],
    completed: { warn: epoch + 30 * day },
    warnings: [],
    offBottom: true,
    signalWindowMs: day,
  });
});

it('names the rungs that an operator skipped in this absence, and in no other', () => {
  const skips = { delete: { at: epoch + 735 * day, inactiveSince: epoch } };
  expect(standingAt(740, { skips }).skipped).toEqual({ delete: epoch + 735 * day });
  expect(standingAt(740, { skips, activity: { human: epoch + day } }).skipped).toBeUndefined();
});

it.each<[string, Standing, string]>([
  ['a rung that is due', standingAt(30), 'for 30 days; rung (warn) is due now.'],
  [
    'a return',
    standingAt(40, { rungs: { warn: done(30) }, activity: { human: epoch + 39 * day } }),
    'Back at the bottom of the ladder (activity).',
  ],
  [
    'an exemption',
    standingAt(40, {}, enabled(), planOf(undefined, { optedOut: true })),
    'nothing happens: the policy exempts it (opt-out).',
  ],
  [
    'the end of the ladder',
    standingAt(40, { rungs: { warn: done(30) } }, enabled(), planOf(smallPolicy('warn: {after: 30d}'))),
    'the ladder has no further rung.',
  ],
  [
    'a deletion that is done',
    standingAt(731, { rungs: { delete: done(730) } }),
    'Deleted by the policy, after notice.',
  ],
  [
    'a notice ahead',
    standingAt(70, { rungs: { warn: done(30), suspend: done(60) } }),
    'next is the notice of revoke at 2020-03-24',
  ],
])('says why: %s', (_what, { why }, sentence) => {
  expect(why).toContain(sentence);
});

it('says so when Kratos does not know the identity', () => {
  const situation = { state: absentState(), plan, identity: undefined, now: epoch };
  expect(standingOf(situation).why).toBe('Kratos does not know this identity.');
});

it('names the step that is being carried out', () => {
  const situation = { state: absentState(), plan, identity: enabled(), now: epoch + 30 * day };
  expect(standingOf(situation, 'warn')).toMatchObject({
    inProgress: 'warn',
    why: expect.stringContaining('warn is being carried out'),
  });
});

it('shows only notices that count', () => {
  const given = {
    rung: 'revoke',
    leadMs: 7 * day,
    outcome: 'accepted',
    at: epoch,
    inactiveSince: epoch,
  } as const;
  const notices = [given, { ...given, leadMs: day, void: true as const }];
  expect(standingAt(1, { notices }).notices).toEqual([given]);
});

it('stands for the longest ladder that a policy can hold', () => {
  const longest = planOf(smallPolicy('warn: {after: 36525d}'));
  expect(standingAt(1, {}, enabled(), longest).next?.at).toBe(epoch + 36_525 * day);
});
