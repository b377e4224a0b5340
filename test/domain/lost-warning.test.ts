/** A warning that a mail server on the way sent back: nobody is suspended unwarned, and no circle of mails arises. */
import { describe, expect, it } from 'vitest';
import { announcedByWarning, scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { withHold } from '../../src/domain/lifecycle/hold-transitions.js';
import { liveStandingOf } from '../../src/domain/lifecycle/live-standing.js';
import { suspendedUnwarned, withWarningState } from '../../src/domain/lifecycle/lost-warning.js';
import type { NoticeOutcome } from '../../src/domain/lifecycle/notice-record.js';
import { withRungBegun, withRungCompleted } from '../../src/domain/lifecycle/rung-transitions.js';
import { stageOf } from '../../src/domain/lifecycle/stage.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { withAssessment, withSign } from '../../src/domain/lifecycle/transitions.js';
import type { Plan } from '../../src/domain/plan.js';
import { absentState, day, enabled, epoch, planOf, smallPolicy } from './fixtures.js';

const revoke = 'revoke: { after: 60d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed }';
const breaker = 'jitter: none\nbreaker: { percentFrom: 1000 }\n';
const plan = planOf(
  smallPolicy(`warn: { after: 10d }\nsuspend: { after: 20d, noticeFloor: 7d }\n${revoke}`, breaker),
);
const at = (days: number) => epoch + days * day;
const rungOf = (name: string, of: Plan = plan) => {
  const found = of.rungs.find(({ rung }) => rung === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const warnedOn = (days: number, before = absentState()): LifecycleState =>
  withRungCompleted(withRungBegun(before, rungOf('warn'), epoch, at(days)), 'warn', at(days), {
    announcedAt: at(Math.max(20, days + 7)),
  });
const lookAt = (state: LifecycleState, days: number, outcome?: NoticeOutcome, of = plan) =>
  withAssessment(
    state,
    {
      identity: enabled(),
      activity: {},
      plan: of,
      ...(outcome && { warning: { key: 'warn', outcome } }),
    },
    at(days),
  );
const decideAt = (state: LifecycleState, days: number) =>
  decide({ state, plan, identity: enabled(), now: at(days) });
const lost = lookAt(warnedOn(10), 11, 'relay-failed');

describe('a warning that a server on the way sent back before the suspension', () => {
  it('does not count: the stage is active again, and the warning is given anew after the recheck', () => {
    expect(stageOf(warnedOn(10))).toBe('warned');
    expect(stageOf(lost)).toBe('active');
    expect(lost.stageSince).toBe(at(11));
    expect(decideAt(lost, 17.9)).toEqual({
      kind: 'wait',
      until: at(18),
      next: { step: 'rung', rung: 'warn', at: at(18) },
      blocked: { by: 'no-notice', since: at(11), why: expect.stringContaining('suspend waits for it') },
    });
    expect(decideAt(lost, 18)).toMatchObject({ kind: 'rung', rung: { rung: 'warn' } });
  });

  it('found at the look right before the suspension stops it', () => {
    const state = warnedOn(10);
    expect(decideAt(state, 20)).toMatchObject({ kind: 'rung', rung: { rung: 'suspend' } });
    expect(decideAt(lookAt(state, 20, 'relay-failed'), 20)).toMatchObject({ kind: 'wait', until: at(27) });
  });

  it('the suspension keeps its distance from the warning that is given anew', () => {
    expect(announcedByWarning(lost, plan, at(18))).toEqual({ action: 'suspend', at: at(25) });
    const anew = lookAt(warnedOn(18, lost), 19, 'accepted');
    expect(decideAt(anew, 24)).toMatchObject({ kind: 'wait', next: { rung: 'suspend', at: at(25) } });
    expect(decideAt(anew, 25)).toMatchObject({ kind: 'rung', rung: { rung: 'suspend' } });
  });

  it('each time: the pauses double, up to thirty days', () => {
    let state = absentState();
    let on = 10;
    const pauses: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      state = lookAt(warnedOn(on, state), on, 'relay-failed');
      const { dueAt } = scheduleOf(state, rungOf('warn'));
      pauses.push((dueAt - at(on)) / day);
      on = (dueAt - epoch) / day;
    }
    expect(pauses).toEqual([7, 14, 28, 30, 30]);
  });

  it('the looks while it waits change nothing', () => {
    expect(lookAt(lost, 12).lostWarning).toBe(lost.lostWarning);
    expect(lookAt(lost, 12, 'relay-failed').lostWarning).toBe(lost.lostWarning);
  });

  it('is shown among what is in the way, also beside a hold', () => {
    const hold = { actor: 'op', reason: 'leave', since: at(12), until: at(40) };
    const shown = (state: LifecycleState, days: number) =>
      liveStandingOf({ state, plan, identity: enabled(), now: at(days) }).obstacles?.map(({ by }) => by);
    expect(shown(withHold(lost, hold), 13)).toEqual(['hold', 'no-notice']);
    expect(shown(lost, 18)).toEqual([]);
  });

  it('of an earlier absence holds nothing back in a later one', () => {
    const seen = withSign(lost, { kind: 'human', at: at(12) }, at(12));
    expect(decideAt(seen, 13)).toMatchObject({ next: { rung: 'warn', at: at(22) } });
    expect(decideAt(seen, 13)).not.toHaveProperty('blocked');
    const again = withRungCompleted(withRungBegun(seen, rungOf('warn'), at(12), at(22)), 'warn', at(22));
    expect(lookAt(again, 23, 'relay-failed').lostWarning).toEqual({
      at: at(23),
      againAt: at(30),
      inactiveSince: at(12),
    });
  });
});

describe('the warning stays given', () => {
  it.each([
    'accepted',
    'ambiguous',
    'bounced',
    'rejected',
    'no-address',
  ] as const)('if it is %s: only a server on the way undoes it', (outcome) => {
    const state = lookAt(warnedOn(10), 20, outcome);
    expect(state.lostWarning).toBeUndefined();
    expect(decideAt(state, 20)).toMatchObject({ kind: 'rung', rung: { rung: 'suspend' } });
  });

  it('if it is not asked about, as in old histories', () => {
    expect(lookAt(warnedOn(10), 20)).toMatchObject({ rungs: { warn: { completedAt: at(10) } } });
  });

  it('if the person was seen since: the return undoes it', () => {
    const seen = withSign(warnedOn(10), { kind: 'human', at: at(11) }, at(11));
    expect(decideAt(lookAt(seen, 11, 'relay-failed'), 11)).toMatchObject({ kind: 'return', undo: ['warn'] });
  });

  it('if the policy warns no longer: the return undoes it', () => {
    const unwarning = planOf(smallPolicy('suspend: { after: 20d, noticeFloor: 7d }', breaker));
    const state = lookAt(warnedOn(10), 20, 'relay-failed', unwarning);
    expect(decide({ state, plan: unwarning, identity: enabled(), now: at(20) })).toMatchObject({
      kind: 'return',
      cause: 'policy',
      undo: ['warn'],
    });
  });

  it('if the policy suspends nobody, or a later rung was begun', () => {
    const unsuspending = planOf(smallPolicy(`warn: { after: 10d }\n${revoke}`, breaker));
    expect(lookAt(warnedOn(10), 11, 'relay-failed', unsuspending).rungs.warn).toBeDefined();
    const revoking = withRungBegun(warnedOn(10), rungOf('revoke'), epoch, at(60));
    const found = { key: 'warn', outcome: 'relay-failed' } as const;
    expect(withWarningState(revoking, found, plan, at(60))).toBe(revoking);
  });

  it('after the suspension, which stays: operators see it', () => {
    const suspended = withRungCompleted(
      withRungBegun(warnedOn(10), rungOf('suspend'), epoch, at(20)),
      'suspend',
      at(20),
    );
    const late = lookAt(suspended, 21, 'relay-failed');
    expect(stageOf(late)).toBe('suspended');
    expect(late.warnings).toEqual([suspendedUnwarned]);
    expect(lookAt(late, 22, 'accepted').warnings).toEqual([]);
  });
});
