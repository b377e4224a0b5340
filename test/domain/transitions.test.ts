/** How the memory of a lifecycle changes. */
import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { withHold, withoutHold } from '../../src/domain/lifecycle/hold-transitions.js';
import type { NoticeRecord } from '../../src/domain/lifecycle/notice-record.js';
import { withNotice } from '../../src/domain/lifecycle/notice-transitions.js';
import {
  withoutRung,
  withRungBegun,
  withRungCompleted,
} from '../../src/domain/lifecycle/rung-transitions.js';
import { offTheBottom, stageOf } from '../../src/domain/lifecycle/stage.js';
import { type LifecycleState, presentState } from '../../src/domain/lifecycle/state.js';
import {
  withAssessment,
  withAudit,
  withoutAudit,
  withParked,
  withReactivation,
  withReturn,
  withSign,
  withUpdateProcessed,
  withWarning,
} from '../../src/domain/lifecycle/transitions.js';
import type { PlanRung } from '../../src/domain/plan.js';
import type { RungName } from '../../src/domain/rungs.js';
import { absentState, anna, day, enabled, epoch, planOf } from './fixtures.js';

const at = (days: number): number => epoch + days * day;
const plan = planOf();
const notice: NoticeRecord = {
  rung: 'revoke',
  leadMs: 7 * day,
  outcome: 'accepted',
  at: at(83),
  inactiveSince: epoch,
};

function rungOf(name: RungName): PlanRung {
  const found = plan.rungs.find(({ rung }) => rung === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

function climb(state: LifecycleState, ...names: RungName[]): LifecycleState {
  return names.reduce((before, name) => {
    const rung = rungOf(name);
    const now = epoch + rung.afterMs;
    return withRungCompleted(withRungBegun(before, rung, epoch, now), name, now);
  }, state);
}

describe('rungs', () => {
  it('completed ones make the stage, and the stage begins with them', () => {
    const state = climb(absentState(), 'warn', 'suspend', 'revoke');
    expect([stageOf(state), state.stageSince]).toEqual(['revoked', at(90)]);
    const mailed = climb(state, 'winback');
    expect([stageOf(mailed), mailed.stageSince]).toEqual(['revoked', at(90)]);
  });

  it('beginning again keeps the first time', () => {
    const begun = withRungBegun(absentState(), rungOf('warn'), epoch, at(30));
    expect(stageOf(begun)).toBe('active');
    expect(withRungBegun(begun, rungOf('warn'), at(1), at(31))).toBe(begun);
    expect(withoutRung(begun, 'warn').rungs).toEqual({});
  });

  it('none is completed without having begun', () => {
    expect(() => withRungCompleted(absentState(), 'warn', at(30))).toThrow('without having begun');
  });
});

describe('a look', () => {
  const look = { activity: {}, plan };

  it('starts the clock of a person who never showed up at creation, or at the last enabling', () => {
    const fresh = absentState({ activity: {}, baselineAt: 0, known: false });
    const identity = enabled({ createdAt: at(1), stateChangedAt: at(1) });
    expect(withAssessment(fresh, { ...look, identity }, at(9)).baselineAt).toBe(at(1));
    const again = enabled({ createdAt: at(1), stateChangedAt: at(5) });
    expect(withAssessment(fresh, { ...look, identity: again }, at(9)).baselineAt).toBe(at(5));
    const off = enabled({ createdAt: at(1), stateChangedAt: at(5), state: 'inactive' });
    expect(withAssessment(fresh, { ...look, identity: off }, at(9)).baselineAt).toBe(at(1));
    const ahead = enabled({ createdAt: at(20), stateChangedAt: at(20) });
    expect(withAssessment(fresh, { ...look, identity: ahead }, at(9)).baselineAt).toBe(at(9));
  });

  it('forgets a deletion that was begun and had no effect, unless it is parked, or may have left a shell', () => {
    const deletion = planOf().rungs.find(({ rung }) => rung === 'delete') ?? expect.fail('no deletion');
    const begun = withRungBegun(absentState(), deletion, at(0), at(730));
    expect(withAssessment(begun, { ...look, identity: enabled() }, at(731)).rungs.delete).toBeUndefined();
    expect(withAssessment(begun, look, at(731)).rungs.delete).toEqual(begun.rungs.delete);
    const shell = { ...look, plan: { ...look.plan, deletion: { action: 'anonymise' as const } } };
    expect(withAssessment(begun, { ...shell, identity: enabled() }, at(731)).rungs.delete).toBeDefined();
    const parked = withParked(begun, { step: 'delete', errorType: 'X', wayOut: 'y', since: at(731) });
    expect(withAssessment(parked, { ...look, identity: enabled() }, at(732)).rungs.delete).toBeDefined();
  });

  it('continues from a lost lifecycle’s deactivation, at the first look only', () => {
    const identity = enabled({ state: 'inactive', disabledByEngine: true, stateChangedAt: at(365) });
    const lost = absentState({ known: false });
    const adopted = withAssessment(lost, { ...look, identity }, at(400));
    expect([stageOf(adopted), adopted.stageSince]).toEqual(['deactivated', at(365)]);
    expect(decide({ state: adopted, plan, identity, now: at(400) })).toMatchObject({
      kind: 'wait',
      until: at(700),
    });
    expect(stageOf(withAssessment(absentState(), { ...look, identity }, at(400)))).toBe('active');
    const byHand = { ...identity, disabledByEngine: false };
    expect(stageOf(withAssessment(lost, { ...look, identity: byHand }, at(400)))).toBe('active');
  });
});

describe('a hold', () => {
  const hold = { actor: 'op', reason: 'leave', since: at(84), until: at(200) };
  const announced = withNotice(climb(absentState(), 'warn', 'suspend'), notice);

  it('voids notices from before it, and those on their way when it was set', () => {
    expect(scheduleOf(announced, rungOf('revoke'))).toEqual({ dueAt: at(90) });
    const during = withNotice(withHold(announced, hold), { ...notice, at: at(85) });
    for (const ended of [
      withoutHold(during, 'h1', at(200)),
      withAssessment(during, { activity: {}, plan }, at(200)),
    ]) {
      expect(ended.holds).toBeUndefined();
      expect(decide({ state: ended, plan, identity: enabled(), now: at(200) })).toMatchObject({
        kind: 'notice',
        rungAt: at(207),
      });
    }
  });

  it('remembers what it voided, so that the next notice is known to be a new mail', () => {
    expect(withHold(announced, hold).notices).toEqual([{ ...notice, void: true }]);
    const renewed = withNotice(withoutHold(withHold(announced, hold), 'h1', at(200)), {
      ...notice,
      at: at(200),
    });
    expect(renewed.notices).toEqual([{ ...notice, at: at(200) }]);
  });

  it('lasts to its end and no longer', () => {
    const held = withHold(announced, hold);
    expect(withAssessment(held, { activity: {}, plan }, at(200) - 1).holds).toEqual([{ ...hold, id: 'h1' }]);
    expect(withAssessment(held, { activity: {}, plan }, at(200)).holds).toBeUndefined();
  });

  it('stands beside others; each ends by itself, and no id is given twice', () => {
    const legal = { ...hold, kind: 'legal', until: at(400) } as const;
    const both = withHold(withHold(announced, { ...hold, kind: 'leave' }), legal);
    expect(both.holds?.map(({ id, kind }) => [id, kind])).toEqual([
      ['h1', 'leave'],
      ['h2', 'legal'],
    ]);
    expect(withoutHold(both, 'h2', at(90)).holds).toMatchObject([{ id: 'h1', kind: 'leave' }]);
    expect(withAssessment(both, { activity: {}, plan }, at(200)).holds).toMatchObject([{ id: 'h2' }]);
    const third = withHold(withoutHold(both, 'h2', at(90)), legal);
    expect(third.holds?.map(({ id }) => id)).toEqual(['h1', 'h3']);
  });

  it('without a kind takes the place of the one before it, as it did when there was only one', () => {
    const longer = withHold(withHold(announced, hold), { ...hold, until: at(300) });
    expect(longer.holds).toMatchObject([{ id: 'h2', until: at(300) }]);
    const mixed = withHold(withHold(announced, { ...hold, kind: 'legal' }), hold);
    expect(mixed.holds).toMatchObject([{ kind: 'legal' }, { id: 'h2' }]);
  });

  it('from a run of an older build (one hold only) becomes the first of several', () => {
    expect(presentState({ ...announced, hold })).toEqual({
      ...announced,
      holds: [{ ...hold, id: 'h1' }],
      holdsSet: 1,
    });
    expect(presentState(announced)).toEqual(announced);
  });

  describe('and the warning', () => {
    const leave = { ...hold, kind: 'leave', since: at(40), until: at(100) } as const;
    const warned = climb(absentState(), 'warn');
    const next = (state: LifecycleState, days: number) =>
      decide({ state, plan, identity: enabled(), now: at(days) });

    it('counts anew after it, so that the suspension keeps its floor', () => {
      const held = withHold(warned, leave);
      expect([stageOf(held), held.stageSince]).toEqual(['active', at(40)]);
      const after = withAssessment(held, { activity: {}, plan }, at(100));
      expect(next(after, 100)).toMatchObject({ kind: 'rung', rung: { rung: 'warn' } });
      const again = withRungCompleted(withRungBegun(after, rungOf('warn'), epoch, at(100)), 'warn', at(100));
      expect(next(again, 106)).toMatchObject({ kind: 'wait', until: at(107) });
    });

    it('that was given while it lasted does not count either', () => {
      const begun = withRungBegun(absentState(), rungOf('warn'), epoch, at(40));
      const during = withRungCompleted(withHold(begun, leave), 'warn', at(41));
      expect(during.rungs.warn?.completedAt).toBe(at(41));
      expect(withoutHold(during, 'h1', at(50)).rungs).toEqual({});
    });

    it('counts from the hold’s end if it was skipped', () => {
      const skipped = withHold(
        { ...absentState(), skips: { warn: { at: at(35), inactiveSince: epoch } } },
        leave,
      );
      const after = withAssessment(skipped, { activity: {}, plan }, at(100));
      expect(after.skips?.warn).toEqual({ at: at(100), inactiveSince: epoch });
      expect(next(after, 100)).toMatchObject({ kind: 'wait', until: at(107) });
    });

    it('stays if later rungs were done', () => {
      const suspended = climb(absentState(), 'warn', 'suspend');
      expect(withHold(suspended, leave).rungs).toEqual(suspended.rungs);
    });

    it('stays after a hold without a kind: old histories must replay', () => {
      const { kind: _kind, ...old } = leave;
      const after = withAssessment(withHold(warned, old), { activity: {}, plan }, at(100));
      expect(after.rungs).toEqual(warned.rungs);
    });
  });
});

describe('a return', () => {
  const parked = { step: 'revoke', errorType: 'HydraFailed', wayOut: 'Retry.', since: at(90) };
  const troubled = withWarning(
    withParked(withNotice(climb(absentState(), 'warn', 'suspend'), notice), parked),
    'metadata-not-published',
  );

  it('forgets what was undone, voids notices, and leaves nothing parked', () => {
    const back = withReturn(troubled, { cause: 'activity', undo: ['suspend', 'warn'] }, at(91));
    expect(back).toMatchObject({ rungs: {}, warnings: [], stageSince: at(91), baselineAt: epoch });
    expect(back.parked).toBeUndefined();
    expect(offTheBottom(troubled)).toBe(true);
    expect(offTheBottom(back)).toBe(false);
  });

  it('of a part keeps the rest, and the time of a stage that does not change', () => {
    const back = withReturn(troubled, { cause: 'activity', undo: ['warn'] }, at(91));
    expect([stageOf(back), back.stageSince]).toEqual(['suspended', at(60)]);
  });

  it('by decision starts the clock anew', () => {
    const decided = withReactivation(troubled, { actor: 'op', reason: 'asked', at: at(95) });
    const back = withReturn(decided, { cause: 'operator', undo: ['suspend', 'warn'] }, at(96));
    expect(back.baselineAt).toBe(at(95));
    expect(back.reactivation).toBeUndefined();
    expect(withReturn(troubled, { cause: 'admin-in-kratos', undo: [] }, at(96)).baselineAt).toBe(at(96));
  });
});

describe('memory', () => {
  it('of signs of life stays the same object if nothing is new', () => {
    const state = absentState();
    expect(withSign(state, { kind: 'human', at: epoch - day }, at(1))).toBe(state);
  });

  it('of update IDs is bounded, the latest kept', () => {
    const ids = Array.from({ length: 60 }, (_, index) => `update-${index}`);
    const state = ids.reduce(withUpdateProcessed, absentState());
    expect(state.processedUpdateIds).toEqual(ids.slice(10));
  });

  it('of warnings holds each once', () => {
    expect(withWarning(withWarning(absentState(), 'x'), 'x').warnings).toEqual(['x']);
  });

  it('of audit entries loses only written entries', () => {
    const entry = (eventId: string) => ({
      eventId,
      eventType: 'inactivity_warned' as const,
      target: anna,
      actor: 'engine',
      occurredAt: epoch,
      stage: 'warned' as const,
      daysInactive: 30,
      outcome: 'done',
    });
    const state = withAudit(absentState(), entry('a'), entry('b'));
    expect(withoutAudit(withAudit(state, entry('c')), [entry('a'), entry('b')]).outbox).toEqual([entry('c')]);
  });
});
