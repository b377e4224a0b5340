/** The ladder's decision, branch by branch, where property tests are hard to read. */
import { describe, expect, it } from 'vitest';
import {
  type Decision,
  decide,
  pendingRung,
  type Situation,
  wakesAt,
} from '../../src/domain/lifecycle/decide.js';
import type { NoticeRecord } from '../../src/domain/lifecycle/notice-record.js';
import type { Parked } from '../../src/domain/lifecycle/parked.js';
import { pauseAfter } from '../../src/domain/lifecycle/pause.js';
import type { LifecycleState, RungRecord } from '../../src/domain/lifecycle/state.js';
import { lookStep, returnStep } from '../../src/domain/lifecycle/steps.js';
import type { Plan } from '../../src/domain/plan.js';
import type { RungName } from '../../src/domain/rungs.js';
import { absentState, day, enabled, epoch, exactPolicy, hour, planOf, smallPolicy } from './fixtures.js';
import { Simulation } from './simulator.js';

const at = (days: number): number => epoch + days * day;
const plan = planOf();

/** Rungs completed at the given days of one absence. */
function climbed(days: Partial<Record<RungName, number>>): LifecycleState['rungs'] {
  const rungs: Partial<Record<RungName, RungRecord>> = {};
  for (const [rung, after] of Object.entries(days)) {
    rungs[rung as RungName] = {
      begunAt: at(after),
      completedAt: at(after),
      inactiveSince: epoch,
      afterMs: plan.rungs.find((planned) => planned.rung === rung)?.afterMs ?? 0,
    };
  }
  return rungs;
}

const revoked = climbed({ warn: 30, suspend: 60, revoke: 90, winback: 180 });
const deactivated = { ...revoked, ...climbed({ deactivate: 365 }) };
const parkedAt = (step: string, days: number): Parked => ({
  step,
  errorType: 'KratosUnavailable',
  wayOut: 'Retry.',
  since: at(days),
});

function noticed(
  rung: RungName,
  leadDays: number,
  days: number,
  more: Partial<NoticeRecord> = {},
): NoticeRecord {
  return { rung, leadMs: leadDays * day, outcome: 'accepted', at: at(days), inactiveSince: epoch, ...more };
}

interface Moment {
  readonly days: number;
  readonly state?: Partial<LifecycleState>;
  readonly identity?: Parameters<typeof enabled>[0] | 'absent';
  readonly plan?: Plan;
}

function situationAt({ days, state, identity, plan: other }: Moment): Situation {
  return {
    state: absentState(state),
    plan: other ?? plan,
    identity: identity === 'absent' ? undefined : enabled(identity),
    now: at(days),
  };
}
const decideAt = (moment: Moment): Decision => decide(situationAt(moment));

const disabledByEngine = { state: 'inactive', disabledByEngine: true, stateChangedAt: at(365) } as const;

it('the whole default ladder of a person who never comes back, on its exact days', () => {
  const { history, mails } = new Simulation({
    policies: [exactPolicy],
    lastSeenAt: epoch,
    enrolledAt: epoch,
    happenings: [],
    luck: ['accepted'],
    delaysMs: [0],
    until: at(800),
  }).run();
  const rungs = history.flatMap((entry): [string, number][] =>
    entry.type === 'completed' ? [[entry.rung, entry.at]] : [],
  );
  const notices = mails.map((mail): [string, number] => [`notice of ${mail.rung}`, mail.at]);
  const days = [...rungs, ...notices]
    .map(([what, time]) => [(time - epoch) / day, what])
    .toSorted(([a], [b]) => Number(a) - Number(b));
  expect(days).toEqual([
    [30, 'warn'],
    [60, 'suspend'],
    [83, 'notice of revoke'],
    [90, 'revoke'],
    [180, 'winback'],
    [358, 'notice of deactivate'],
    [365, 'deactivate'],
    [700, 'notice of delete'],
    [723, 'notice of delete'],
    [729, 'notice of delete'],
    [730, 'delete'],
  ]);
});

describe('climbing', () => {
  it('a notice that is not due yet blocks nothing', () => {
    const state = { rungs: climbed({ warn: 30, suspend: 60 }) };
    expect(decideAt({ days: 82, state })).toEqual({
      kind: 'wait',
      until: at(83),
      next: { step: 'notice', rung: 'revoke', at: at(83) },
    });
  });

  it.each([
    ['the first failure', 0, 7, 7],
    ['the second', 1, 7, 14],
    ['the third', 2, 7, 28],
    ['the fourth: thirty days at most', 3, 7, 30],
    ['a thousand', 1_000, 7, 30],
    ['the first where the policy looks more rarely', 0, 40, 40],
    ['the fifth where the policy looks more rarely', 4, 40, 40],
  ])('after %s of a notice, the next attempt comes later', (_which, failures, recheckDays, days) => {
    expect(pauseAfter(failures, recheckDays * day)).toBe(days * day);
  });

  it('waits for the threshold to the millisecond', () => {
    const next = { step: 'rung', rung: 'warn', at: at(30) };
    expect(decideAt({ days: 29.999 })).toEqual({ kind: 'wait', until: at(30), next });
    expect(decideAt({ days: 30 })).toMatchObject({ kind: 'rung', rung: { rung: 'warn' } });
  });

  it('suspends no sooner than the floor after the warning', () => {
    const state = { rungs: climbed({ warn: 100 }) };
    expect(decideAt({ days: 106, state })).toMatchObject({ kind: 'wait', until: at(107) });
    expect(decideAt({ days: 107, state })).toMatchObject({ kind: 'rung', rung: { rung: 'suspend' } });
  });

  it('announces the day on which the rung will be, and at least the floor ahead', () => {
    const state = { rungs: climbed({ warn: 30, suspend: 60 }) };
    expect(decideAt({ days: 83, state })).toMatchObject({ kind: 'notice', leadMs: 7 * day, rungAt: at(90) });
    expect(decideAt({ days: 300, state })).toMatchObject({ kind: 'notice', rungAt: at(307) });
  });

  it('gives the next notice of a deletion only when the one before it counts', () => {
    const first = noticed('delete', 30, 800);
    const state = (notices: NoticeRecord[]) => ({ rungs: deactivated, notices });
    const moment = { identity: disabledByEngine };
    expect(decideAt({ ...moment, days: 801, state: state([first]) })).toMatchObject({
      kind: 'wait',
      until: at(823),
    });
    expect(decideAt({ ...moment, days: 823, state: state([first]) })).toMatchObject({
      kind: 'notice',
      leadMs: 7 * day,
    });
    const ambiguous = { ...first, outcome: 'ambiguous' } as const;
    expect(decideAt({ ...moment, days: 807, state: state([ambiguous]) })).toMatchObject({
      kind: 'notice',
      leadMs: 30 * day,
      rungAt: at(837),
    });
  });

  it.each([
    ['accepted', 'revoke', 'rung'],
    ['ambiguous', 'revoke', 'rung'],
    ['rejected', 'revoke', 'rung'],
    ['no-address', 'revoke', 'rung'],
    ['accepted', 'deactivate', 'rung'],
    ['ambiguous', 'deactivate', 'rung'],
    ['rejected', 'deactivate', 'notice'],
    ['no-address', 'deactivate', 'notice'],
    ['accepted', 'delete', 'notice'],
    ['ambiguous', 'delete', 'notice'],
  ] as const)('after a notice that was %s, %s is followed by a %s', (outcome, rung, kind) => {
    const below = {
      revoke: climbed({ warn: 30, suspend: 60 }),
      deactivate: revoked,
      delete: deactivated,
    };
    const leadMs = rung === 'delete' ? 30 * day : 7 * day;
    const notices = [noticed(rung, leadMs / day, 1_000, { outcome })];
    const identity = rung === 'delete' ? disabledByEngine : {};
    const days = 1_000 + leadMs / day;
    expect(decideAt({ days, state: { rungs: below[rung], notices }, identity }).kind).toBe(kind);
  });

  it('waits for a notice if none gets through, says so, and tries again after the recheck', () => {
    const state = { rungs: revoked, notices: [noticed('deactivate', 7, 358, { outcome: 'no-address' })] };
    expect(decideAt({ days: 364, state })).toEqual({
      kind: 'wait',
      until: at(365),
      next: { step: 'notice', rung: 'deactivate', at: at(365) },
      blocked: {
        by: 'no-notice',
        why: expect.stringContaining('deactivate waits for it'),
        since: at(358),
      },
    });
    expect(decideAt({ days: 365, state }).kind).toBe('notice');
  });

  it('a notice from before the last sign of life does not count', () => {
    const state = {
      activity: { human: at(2) },
      rungs: climbed({ warn: 100, suspend: 107 }),
      notices: [noticed('revoke', 7, 110)],
    };
    expect(decideAt({ days: 200, state })).toMatchObject({ kind: 'notice', rung: { rung: 'revoke' } });
  });

  it('a notice that announced a date long before the rung does not count', () => {
    const later = planOf({
      ...exactPolicy,
      ladder: {
        warn: { after: 30 * day },
        deactivate: {
          after: 500 * day,
          notices: [7 * day],
          noticeFloor: 7 * day,
          withoutNotice: 'wait',
          mailAfter: false,
        },
      },
    });
    const state = { rungs: climbed({ warn: 30 }), notices: [noticed('deactivate', 7, 358)] };
    expect(decideAt({ days: 500, state, plan: later })).toMatchObject({ kind: 'notice', rungAt: at(507) });
  });

  describe('after a policy that acts earlier', () => {
    const tightened = (after: number, lead: number) =>
      planOf(
        smallPolicy(
          `revoke: {after: 50d, notices: [7d], noticeFloor: 7d, withoutNotice: wait}
           deactivate: {after: ${after}d, notices: [${lead}d], noticeFloor: ${lead}d, withoutNotice: wait}`,
        ),
      );
    const rungs = climbed({ revoke: 80 });
    const announced = { rungs, notices: [noticed('deactivate', 7, 83, { announcedAt: at(90) })] };

    it('an announced rung keeps its date', () => {
      const next = { step: 'rung', rung: 'deactivate', at: at(90) };
      for (const days of [84, 85, 89.999]) {
        expect(decideAt({ days, state: announced, plan: tightened(85, 7) })).toEqual({
          kind: 'wait',
          until: at(90),
          next,
        });
      }
      expect(decideAt({ days: 90, state: announced, plan: tightened(85, 7) }).kind).toBe('rung');
    });

    it('what was announced under a policy that was looser for a while keeps its date, too', () => {
      const looser = { rungs, notices: [noticed('deactivate', 7, 83, { announcedAt: at(100) })] };
      expect(decideAt({ days: 95, state: looser, plan: tightened(85, 7) })).toMatchObject({
        kind: 'wait',
        next: { step: 'rung', at: at(100) },
      });
      expect(decideAt({ days: 100, state: looser, plan: tightened(85, 7) }).kind).toBe('rung');
    });

    it('a notice with another lead is given anew, and the rung keeps its distance from that', () => {
      const plan = tightened(60, 2);
      expect(decideAt({ days: 84, state: announced, plan })).toMatchObject({
        kind: 'notice',
        rung: { rung: 'deactivate' },
        leadMs: 2 * day,
        rungAt: at(86),
      });
      const again = { rungs, notices: [...announced.notices, noticed('deactivate', 2, 84)] };
      expect(decideAt({ days: 85.999, state: again, plan })).toMatchObject({ kind: 'wait', until: at(86) });
      expect(decideAt({ days: 86, state: again, plan }).kind).toBe('rung');
    });

    it('a notice of a revocation is none of a deactivation', () => {
      const state = { rungs, notices: [noticed('revoke', 7, 73)] };
      expect(decideAt({ days: 84, state, plan: tightened(85, 7) })).toMatchObject({
        kind: 'notice',
        rung: { rung: 'deactivate' },
        rungAt: at(91),
      });
    });
  });

  it('a deletion that is the end of the ladder finishes it', () => {
    expect(decideAt({ days: 731, state: { rungs: climbed({ delete: 730 }) }, identity: 'absent' })).toEqual({
      kind: 'finished',
    });
  });

  it('a ladder without further rung looks again now and then: an admin may enable the identity in Kratos', () => {
    const short = planOf(smallPolicy('warn: {after: 30d}'));
    expect(decideAt({ days: 31, state: { rungs: climbed({ warn: 30 }) }, plan: short })).toEqual({
      kind: 'wait',
      until: at(31) + short.recheckMs,
    });
  });

  it('a revocation that an override puts behind the win-back mail still comes', () => {
    const late = planOf(
      smallPolicy(
        'winback: {after: 180d}\nrevoke: {after: 90d, notices: [7d], noticeFloor: 7d, withoutNotice: wait}',
        'roles: {late: {revoke: {after: 200d}}}\n',
      ),
      { adminRole: 'late' },
    );
    expect(late.rungs.map(({ rung }) => rung)).toEqual(['winback', 'revoke']);
    const afterMail = absentState({ rungs: climbed({ winback: 180 }) });
    expect(pendingRung(afterMail, late)?.rung).toBe('revoke');
    const afterBoth = absentState({ rungs: climbed({ winback: 180, revoke: 200 }) });
    expect(pendingRung(afterBoth, late)).toBeUndefined();
  });
});

describe('coming back', () => {
  const suspended = climbed({ warn: 30, suspend: 60 });

  it('a sign of life takes everything back, harshest first', () => {
    const state = { rungs: suspended, activity: { human: at(70) } };
    expect(decideAt({ days: 70, state })).toEqual({
      kind: 'return',
      cause: 'activity',
      undo: ['suspend', 'warn'],
    });
  });

  it('a sign of life of a kind that does not count takes nothing back', () => {
    const state = { rungs: suspended, activity: { human: epoch, machine: at(70) } };
    expect(decideAt({ days: 70, state }).kind).toBe('wait');
  });

  it('late evidence takes back only rungs that should not have happened', () => {
    const state = { rungs: climbed({ warn: 45, suspend: 60 }), activity: { human: at(10) } };
    expect(decideAt({ days: 65, state })).toEqual({ kind: 'return', cause: 'activity', undo: ['suspend'] });
  });

  it('a loosened policy takes back rungs that are not due under it yet', () => {
    const looser = planOf({
      ...exactPolicy,
      ladder: { warn: { after: 30 * day }, suspend: { after: 80 * day, noticeFloor: 7 * day } },
    });
    expect(decideAt({ days: 70, state: { rungs: suspended }, plan: looser })).toEqual({
      kind: 'return',
      cause: 'policy',
      undo: ['suspend'],
    });
  });

  it('an exemption takes everything back, and a notice that was given', () => {
    const exempt = planOf(exactPolicy, { accountType: 'service' });
    const undo = ['suspend', 'warn'];
    expect(decideAt({ days: 70, state: { rungs: suspended }, plan: exempt })).toEqual({
      kind: 'return',
      cause: 'exempt',
      undo,
    });
    const announced = { notices: [noticed('revoke', 2, 5)] };
    expect(decideAt({ days: 6, state: announced, plan: exempt })).toEqual({
      kind: 'return',
      cause: 'exempt',
      undo: [],
    });
    expect(decideAt({ days: 6, plan: exempt })).toMatchObject({
      kind: 'wait',
      until: at(13),
      blocked: { by: 'exempt' },
    });
  });

  it('a completed deactivation stands, whatever comes after it or changes in the policy', () => {
    const moment = { days: 400, identity: disabledByEngine };
    const after = { rungs: deactivated, activity: { token: at(370) } };
    expect(decideAt({ ...moment, state: after })).toMatchObject({ kind: 'wait', until: at(370 + 700) });
    const exempt = planOf(exactPolicy, { accountType: 'service' });
    expect(decideAt({ ...moment, state: { rungs: deactivated }, plan: exempt }).kind).toBe('wait');
    const gentle = planOf(smallPolicy('warn: {after: 900d}'));
    expect(decideAt({ ...moment, state: { rungs: deactivated }, plan: gentle }).kind).toBe('wait');
  });

  it('a completed deactivation is undone by evidence from before it, an operator, or an admin', () => {
    const undo = ['deactivate', 'winback', 'revoke', 'suspend', 'warn'];
    const moment = { days: 400, identity: disabledByEngine };
    const evidence = { rungs: deactivated, activity: { human: at(364) } };
    expect(decideAt({ ...moment, state: evidence })).toEqual({ kind: 'return', cause: 'activity', undo });
    const reactivation = { actor: 'op', reason: 'asked', at: at(400) };
    const asked = { rungs: deactivated, reactivation };
    expect(decideAt({ ...moment, state: asked })).toEqual({ kind: 'return', cause: 'operator', undo });
    const byAdmin = { days: 400, identity: { stateChangedAt: at(399) }, state: { rungs: deactivated } };
    expect(decideAt(byAdmin)).toEqual({ kind: 'return', cause: 'admin-in-kratos', undo });
  });

  it('at the bottom, a notice or a parked step does not outlive the absence that it belongs to', () => {
    const seen = { activity: { human: at(6) } };
    const back = { kind: 'return', cause: 'activity', undo: [] };
    expect(decideAt({ days: 6, state: { ...seen, notices: [noticed('revoke', 2, 5)] } })).toEqual(back);
    expect(decideAt({ days: 6, state: { ...seen, parked: parkedAt('notice:revoke', 5.5) } })).toEqual(back);
    expect(decideAt({ days: 6, state: { parked: parkedAt('notice:revoke', 5.5) } })).toMatchObject({
      blocked: { by: 'parked' },
    });
  });
});

describe('a deactivation that is half done', () => {
  const begun = { begunAt: at(365), inactiveSince: epoch, afterMs: 365 * day };
  const half = { rungs: { ...revoked, deactivate: begun } };

  it('is finished without another notice, so that nobody is locked out without the stage that says so', () => {
    expect(decideAt({ days: 366, state: half, identity: disabledByEngine })).toMatchObject({
      kind: 'rung',
      rung: { rung: 'deactivate' },
    });
  });

  it('but without effect in Kratos it needs its notice', () => {
    expect(decideAt({ days: 366, state: half }).kind).toBe('notice');
  });

  it('nor is it finished unannounced where somebody enabled the identity in Kratos', () => {
    const enabledAgain = { ...disabledByEngine, state: 'active' } as const;
    expect(decideAt({ days: 366, state: half, identity: enabledAgain }).kind).toBe('notice');
  });

  it('is taken back when the person is seen, becomes exempt, or the policy is loosened', () => {
    const moment = { days: 366, identity: disabledByEngine };
    const seen = { ...half, activity: { token: at(365.5) } };
    expect(decideAt({ ...moment, state: seen })).toMatchObject({ kind: 'return', cause: 'activity' });
    const exempt = planOf(exactPolicy, { optedOut: true });
    expect(decideAt({ ...moment, state: half, plan: exempt })).toMatchObject({
      cause: 'exempt',
      undo: ['deactivate', 'winback', 'revoke', 'suspend', 'warn'],
    });
    const gentle = planOf(smallPolicy('warn: {after: 30d}'));
    expect(decideAt({ ...moment, state: half, plan: gentle })).toMatchObject({ cause: 'policy' });
  });

  it('waits on hold', () => {
    const hold = { id: 'h1', actor: 'op', reason: 'leave', since: at(366), until: at(400) };
    expect(
      decideAt({ days: 366, state: { ...half, holds: [hold] }, identity: disabledByEngine }),
    ).toMatchObject({
      blocked: { by: 'hold' },
    });
  });
});

describe('nothing happens', () => {
  const byHand = { state: 'inactive', stateChangedAt: at(10) } as const;

  it('to an identity that was disabled by hand, until somebody enables it', () => {
    expect(decideAt({ days: 40, identity: byHand })).toMatchObject({
      until: at(47),
      blocked: { by: 'disabled-by-admin' },
    });
    const state = { rungs: climbed({ warn: 30 }), activity: { human: at(39) } };
    expect(decideAt({ days: 40, identity: byHand, state })).toMatchObject({
      blocked: { by: 'disabled-by-admin' },
    });
  });

  it('on hold until its end', () => {
    const hold = { id: 'h1', actor: 'op', reason: 'leave', since: at(20), until: at(50) };
    const blocked = { by: 'hold', why: 'on hold (leave), set by op', since: at(20) };
    expect(decideAt({ days: 40, state: { holds: [hold] } })).toEqual({
      kind: 'wait',
      until: at(50),
      blocked,
    });
    expect(decideAt({ days: 50, state: { holds: [hold] } }).kind).toBe('rung');
    const legal = { ...hold, id: 'h2', kind: 'legal', reason: 'case 7', until: at(90) } as const;
    expect(decideAt({ days: 40, state: { holds: [hold, legal] } })).toMatchObject({
      until: at(90),
      blocked: { why: 'on legal hold (case 7), set by op' },
    });
  });

  it.each(['warn', returnStep, lookStep])('while %s is parked, until somebody decides', (step) => {
    const decision = decideAt({ days: 40, state: { parked: parkedAt(step, 39) } });
    expect(decision).toEqual({
      kind: 'wait',
      blocked: { by: 'parked', why: `${step} failed for good (KratosUnavailable). Retry.`, since: at(39) },
    });
  });

  it('while a step is parked, also with a running notice: no look sets a date', () => {
    const notice = noticed('revoke', 7, 83, { key: 'n1' });
    const decision = decideAt({ days: 84, state: { parked: parkedAt('suspend', 83), notices: [notice] } });
    expect(decision).toMatchObject({ kind: 'wait', blocked: { by: 'parked' } });
    expect(decision).not.toHaveProperty('until');
  });

  it('a parked rung does not hold up a return, a parked return or look does', () => {
    const back = { rungs: climbed({ warn: 30 }), activity: { human: at(39) } };
    expect(decideAt({ days: 40, state: { ...back, parked: parkedAt('suspend', 38) } }).kind).toBe('return');
    expect(decideAt({ days: 40, state: { ...back, parked: parkedAt(returnStep, 38) } }).kind).toBe('wait');
    expect(decideAt({ days: 40, state: { ...back, parked: parkedAt(lookStep, 38) } }).kind).toBe('wait');
  });
});

describe('an identity that Kratos does not know', () => {
  const begun = { begunAt: at(730), inactiveSince: epoch, afterMs: 730 * day };

  it('ends the lifecycle, unless the engine was deleting it', () => {
    expect(decideAt({ days: 40, identity: 'absent' })).toEqual({ kind: 'gone' });
    const state = { rungs: { ...deactivated, delete: begun } };
    expect(decideAt({ days: 730.1, identity: 'absent', state })).toMatchObject({
      kind: 'rung',
      rung: { rung: 'delete' },
    });
    const parked = { ...state, parked: parkedAt('delete', 730) };
    expect(decideAt({ days: 731, identity: 'absent', state: parked })).toMatchObject({
      blocked: { by: 'parked' },
    });
  });
});

it('a sleep of an hour or of two years ends where the next step begins', () => {
  for (const days of [0, 29.99, 30 - hour / day]) {
    const decision = decideAt({ days });
    expect(decision).toMatchObject({ kind: 'wait', until: at(30) });
  }
});

describe('a deactivated identity', () => {
  const state = { rungs: deactivated };
  const wakes = (more: Moment, until: number | undefined) => wakesAt(situationAt(more), until);
  it('is looked at each recheck, however far the next step is, also on hold and while a step is parked', () => {
    const recheckMs = planOf().recheckMs;
    expect(wakes({ days: 370, state }, at(700))).toBe(at(370) + recheckMs);
    expect(wakes({ days: 370, state }, undefined)).toBe(at(370) + recheckMs);
    expect(wakes({ days: 370, state }, at(371))).toBe(at(371));
  });
  it('gets no look while the look itself is parked; an active identity gets no extra looks', () => {
    expect(
      wakes({ days: 370, state: { ...state, parked: parkedAt(lookStep, 369) } }, undefined),
    ).toBeUndefined();
    expect(wakes({ days: 10 }, at(700))).toBe(at(700));
  });
});
