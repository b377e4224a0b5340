/** A warning names the day of the suspension, and later policies keep it. */
import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { withRungBegun, withRungCompleted } from '../../src/domain/lifecycle/rung-transitions.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { withReturn } from '../../src/domain/lifecycle/transitions.js';
import type { Plan, PlanRung } from '../../src/domain/plan.js';
import type { RungName } from '../../src/domain/rungs.js';
import { absentState, day, epoch, planOf, smallPolicy } from './fixtures.js';

const at = (days: number): number => epoch + days * day;
const planWith = (suspendAfter: string) =>
  planOf(smallPolicy(`warn: {after: 30d}\nsuspend: {after: ${suspendAfter}, noticeFloor: 7d}`));
const rungOf = (plan: Plan, name: RungName): PlanRung =>
  plan.rungs.find(({ rung }) => rung === name) ?? expect.fail(`no ${name}`);

function warned(announcedAt?: number, days = 30): LifecycleState {
  const begun = withRungBegun(absentState(), rungOf(planWith('60d'), 'warn'), epoch, at(days));
  return withRungCompleted(begun, 'warn', at(days), announcedAt === undefined ? {} : { announcedAt });
}
const dueAt = (state: LifecycleState, suspendAfter: string) =>
  scheduleOf(state, rungOf(planWith(suspendAfter), 'suspend')).dueAt;

describe('after a warning that named day 60', () => {
  it('a tightened policy suspends no sooner', () => expect(dueAt(warned(at(60)), '40d')).toBe(at(60)));
  it('a loosened one suspends later', () => expect(dueAt(warned(at(60)), '80d')).toBe(at(80)));
  it('it has no effect once the person was back', () => {
    const back = withReturn(warned(at(60)), { cause: 'activity', undo: ['warn'] }, at(35));
    expect(dueAt(back, '40d')).toBe(at(40));
  });
});

it('a warning that named no day leaves its floor', () =>
  expect(dueAt(warned(undefined, 35), '37d')).toBe(at(42)));
