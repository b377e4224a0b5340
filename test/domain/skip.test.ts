/** What skipping a parked step means for each step. */
import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { withRungBegun, withRungCompleted } from '../../src/domain/lifecycle/rung-transitions.js';
import { unskippable, withParkedSkipped } from '../../src/domain/lifecycle/skip.js';
import { stageOf } from '../../src/domain/lifecycle/stage.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { lookStep, returnStep } from '../../src/domain/lifecycle/steps.js';
import { withParked } from '../../src/domain/lifecycle/transitions.js';
import type { Plan } from '../../src/domain/plan.js';
import type { RungName } from '../../src/domain/rungs.js';
import { absentState, day, enabled, epoch, planOf } from './fixtures.js';

const at = (days: number): number => epoch + days * day;
const plan = planOf();

function rungOf(name: RungName, of: Plan = plan) {
  return of.rungs.find(({ rung }) => rung === name) ?? expect.fail(`no ${name}`);
}

function climbed(...names: RungName[]): LifecycleState {
  return names.reduce((state, name) => {
    const rung = rungOf(name);
    return withRungCompleted(
      withRungBegun(state, rung, epoch, epoch + rung.afterMs),
      name,
      epoch + rung.afterMs,
    );
  }, absentState());
}

const parkedIn = (state: LifecycleState, step: string, days: number): LifecycleState =>
  withParked(state, { step, errorType: 'KratosFailed', wayOut: 'Retry.', since: at(days) });
const begun = (state: LifecycleState, name: RungName, days: number): LifecycleState =>
  withRungBegun(state, rungOf(name), epoch, at(days));
const next = (state: LifecycleState, days: number, identity = enabled()) =>
  decide({ state, plan, identity, now: at(days) });

describe('a rung that is skipped', () => {
  it('leads to no stage, and the ladder continues with the next rung and its own notice', () => {
    const parked = parkedIn(begun(climbed('warn', 'suspend'), 'revoke', 90), 'revoke', 92);
    const skipped = withParkedSkipped(parked, plan, at(100));
    expect([stageOf(skipped), skipped.rungs.revoke, skipped.parked]).toEqual([
      'suspended',
      undefined,
      undefined,
    ]);
    expect(next(skipped, 100)).toMatchObject({ kind: 'wait', next: { rung: 'winback', at: at(180) } });
    expect(next(skipped, 365)).toMatchObject({ kind: 'rung', rung: { rung: 'winback' } });
    const mailed = withRungCompleted(
      withRungBegun(skipped, rungOf('winback'), epoch, at(365)),
      'winback',
      at(365),
    );
    expect(next(mailed, 365)).toMatchObject({
      kind: 'notice',
      rung: { rung: 'deactivate' },
      rungAt: at(372),
    });
  });

  it('comes again in the next absence', () => {
    const parked = parkedIn(begun(climbed('warn', 'suspend'), 'revoke', 90), 'revoke', 92);
    const skipped = withParkedSkipped(parked, plan, at(100));
    const seen = { ...skipped, rungs: {}, activity: { human: at(101) } };
    expect(next({ ...seen, rungs: {} }, 101)).toMatchObject({ next: { rung: 'warn', at: at(131) } });
    const again = withRungCompleted(
      withRungBegun({ ...seen, rungs: {} }, rungOf('suspend'), at(101), at(161)),
      'suspend',
      at(161),
    );
    expect(next(again, 161)).toMatchObject({ next: { step: 'notice', rung: 'revoke' } });
  });

  it('that is the warning leaves the suspension its floor', () => {
    const parked = parkedIn(begun(absentState(), 'warn', 30), 'warn', 32);
    const skipped = withParkedSkipped(parked, plan, at(59));
    expect(next(skipped, 60)).toMatchObject({ kind: 'wait', next: { rung: 'suspend', at: at(66) } });
    expect(scheduleOf({ ...skipped, activity: { human: at(59) + 1 } }, rungOf('suspend')).dueAt).toBe(
      at(59) + 1 + rungOf('suspend').afterMs,
    );
  });

  it('that is the deletion ends the ladder for this absence', () => {
    const done = climbed('warn', 'suspend', 'revoke', 'winback', 'deactivate');
    const identity = enabled({ state: 'inactive', disabledByEngine: true, stateChangedAt: at(365) });
    const skipped = withParkedSkipped(parkedIn(begun(done, 'delete', 730), 'delete', 732), plan, at(733));
    expect(next(skipped, 733, identity)).toEqual({ kind: 'wait', until: at(740) });
    expect(stageOf(skipped)).toBe('deactivated');
  });
});

describe('a notice that is skipped', () => {
  const skipNotice = (rung: RungName, state: LifecycleState, days: number) =>
    withParkedSkipped(parkedIn(state, `notice:${rung}`, days), plan, at(days));

  it('counts as not delivered: a rung that may proceed without keeps its floor', () => {
    const skipped = skipNotice('revoke', climbed('warn', 'suspend'), 85);
    expect(skipped.notices).toEqual([
      { rung: 'revoke', leadMs: 7 * day, outcome: 'skipped', at: at(85), inactiveSince: epoch },
    ]);
    expect(next(skipped, 90)).toMatchObject({ kind: 'wait', until: at(92) });
  });

  it.each(['deactivate', 'delete'] as const)('never stands for notice of %s: it is tried again', (rung) => {
    const upTo = climbed('warn', 'suspend', 'revoke', 'winback');
    const state =
      rung === 'deactivate' ? upTo : climbed('warn', 'suspend', 'revoke', 'winback', 'deactivate');
    const disabled = enabled({ state: 'inactive', disabledByEngine: true, stateChangedAt: at(365) });
    const identity = rung === 'deactivate' ? enabled() : disabled;
    const skipped = skipNotice(rung, state, 2_000);
    expect(next(skipped, 2_000, identity)).toMatchObject({
      kind: 'wait',
      until: at(2_007),
      blocked: { by: 'no-notice' },
    });
    expect(next(skipped, 2_007, identity).kind).toBe('notice');
  });
});

describe('it is refused', () => {
  const parked = (step: string) => ({ step, errorType: 'KratosFailed', wayOut: 'Retry.', since: at(1) });
  const inactive = enabled({ state: 'inactive', disabledByEngine: true });

  it.each([
    ['where nothing is parked', undefined, enabled(), /no step is parked/],
    ['for a look', parked(lookStep), undefined, /can't be skipped.*apply another policy/],
    ['for a return', parked(returnStep), enabled(), /stay locked out.*retry/],
    ['for a deletion that took effect', parked('delete'), undefined, /gone already. Retry/],
    ['for a deactivation that took effect', parked('deactivate'), inactive, /Retry.*or reactivate/],
    ['for a step that nobody knows', parked('publish'), enabled(), /can't be skipped. Retry it/],
  ])('%s', (_name, step, identity, problem) => {
    expect(unskippable(step, identity)).toMatch(problem);
  });

  it.each(['warn', 'revoke', 'deactivate', 'delete', 'notice:delete'])('and not for %s', (step) => {
    expect(unskippable(parked(step), enabled())).toBeUndefined();
  });
});

describe('a step of an identity that is gone', () => {
  const parkedAt = (step: string) => parkedIn(climbed('warn'), step, 10).parked;

  it.each(['suspend', 'deactivate', 'notice:delete'])('%s may be skipped', (step) => {
    expect(unskippable(parkedAt(step), undefined)).toBeUndefined();
  });

  it('delete may not', () => {
    expect(unskippable(parkedAt('delete'), undefined)).toContain('gone already');
  });
});

it('a step of an identity that is disabled may be skipped, but not its deactivation', () => {
  const disabled = { ...enabled(), state: 'inactive' as const };
  const parkedAt = (step: string) => parkedIn(climbed('warn'), step, 10).parked;
  expect(unskippable(parkedAt('delete'), disabled)).toBeUndefined();
  expect(unskippable(parkedAt('revoke'), disabled)).toBeUndefined();
  expect(unskippable(parkedAt('deactivate'), disabled)).toContain('disabled already');
});
