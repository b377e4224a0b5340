/** Notices after they were given: bounces, lost proof, changed addresses. */
import { describe, expect, it } from 'vitest';
import { followFloorMs, scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { withHold } from '../../src/domain/lifecycle/hold-transitions.js';
import type { NoticeOutcome, NoticeRecord } from '../../src/domain/lifecycle/notice-record.js';
import {
  runningNotices,
  withNoticeFollowed,
  withNoticeStates,
} from '../../src/domain/lifecycle/notice-transitions.js';
import type { LifecycleState, RungRecord } from '../../src/domain/lifecycle/state.js';
import { withAssessment } from '../../src/domain/lifecycle/transitions.js';
import { absentState, day, enabled, epoch, planOf } from './fixtures.js';

const plan = planOf();
const at = (days: number) => epoch + days * day;
const done = (days: number): RungRecord => ({
  begunAt: at(days),
  completedAt: at(days),
  inactiveSince: epoch,
  afterMs: days * day,
});
const notice = (rung: NoticeRecord['rung'], lead: number, on: number): NoticeRecord => ({
  rung,
  leadMs: lead * day,
  outcome: 'accepted',
  at: at(on),
  inactiveSince: epoch,
  key: `${rung}/${lead}`,
  announcedAt: at(on + lead),
});
const climbed = {
  warn: done(30),
  suspend: done(60),
  revoke: done(90),
  winback: done(180),
  deactivate: done(365),
};
const deactivatedIdentity = enabled({
  state: 'inactive',
  disabledByEngine: true,
  publishedStage: 'deactivated',
});
/** Two of the three notices of deletion are given. */
const noticed = absentState({
  rungs: climbed,
  notices: [notice('delete', 30, 700), notice('delete', 7, 723)],
});

const rungOf = (name: string) => {
  const found = plan.rungs.find(({ rung }) => rung === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const decideAt = (state: LifecycleState, days: number) =>
  decide({ state, plan, identity: deactivatedIdentity, now: at(days) });
const become = (state: LifecycleState, key: string, outcome: NoticeOutcome, days: number) =>
  withNoticeStates(state, [{ key, outcome }], at(days));

describe('a notice that bounced', () => {
  const lost = become(noticed, 'delete/30', 'bounced', 725);

  it('does not count for deletion: it is blocked, and tried again after the recheck', () => {
    const recheckDays = plan.recheckMs / day;
    expect(decideAt(lost, 726)).toMatchObject({
      kind: 'wait',
      until: at(725 + recheckDays),
      blocked: { by: 'no-notice' },
    });
    expect(decideAt(lost, 725 + recheckDays)).toMatchObject({
      kind: 'notice',
      leadMs: 30 * day,
      rungAt: at(725 + recheckDays + 30),
    });
  });

  it('makes the later notices of its rung void: their date will not hold', () => {
    expect(lost.notices).toMatchObject([
      { outcome: 'bounced', at: at(700), failedAt: at(725) },
      { void: true },
    ]);
  });

  it('leaves the notice before it', () => {
    const later = become(noticed, 'delete/7', 'bounced', 725);
    expect(later.notices).toMatchObject([{ outcome: 'accepted' }, { outcome: 'bounced' }]);
    expect(later.notices[0]).not.toHaveProperty('void');
    expect(decideAt(later, 726)).toMatchObject({ kind: 'wait', blocked: { by: 'no-notice' } });
  });

  it('leaves notices of other rungs, and those of rungs that are done', () => {
    const both = { ...noticed, notices: [notice('deactivate', 7, 358), ...noticed.notices] };
    expect(become(both, 'deactivate/7', 'bounced', 725)).toBe(both);
    expect(become(both, 'delete/30', 'bounced', 725).notices[0]).toEqual(notice('deactivate', 7, 358));
  });

  it('counts where the policy goes on without notice, and keeps its floor', () => {
    const revoke = rungOf('revoke');
    expect(revoke.withoutNotice).toBe('proceed');
    const state = absentState({ rungs: { warn: done(30) }, notices: [notice('revoke', 7, 83)] });
    expect(scheduleOf(become(state, 'revoke/7', 'bounced', 85), revoke)).toEqual({ dueAt: at(90) });
  });

  it.each([
    'revoke',
    'deactivate',
    'delete',
  ] as const)('does not count for %s because of a server on the way, not even where the policy goes on without notice', (name) => {
    const rung = { ...rungOf(name), withoutNotice: 'proceed' as const };
    const [leadMs = 0] = rung.noticeLeadsMs;
    const givenOn = (rung.afterMs - leadMs) / day;
    const given = notice(name, leadMs / day, givenOn);
    const state = absentState({ rungs: {}, notices: [given] });
    expect(scheduleOf(state, rung).notice?.leadMs).not.toBe(leadMs);
    const key = given.key ?? '';
    expect(scheduleOf(become(state, key, 'relay-failed', 85), rung).notice).toMatchObject({
      leadMs,
      failedAt: at(85),
    });
  });

  it('does not hold deactivation open where it must wait', () => {
    const deactivate = rungOf('deactivate');
    expect(deactivate.withoutNotice).toBe('wait');
    const { deactivate: _done, ...rungs } = climbed;
    const state = absentState({ rungs, notices: [notice('deactivate', 7, 358)] });
    expect(scheduleOf(state, deactivate).notice).toBeUndefined();
    expect(scheduleOf(become(state, 'deactivate/7', 'bounced', 360), deactivate).notice).toMatchObject({
      failedAt: at(360),
    });
  });
});

it('a notice whose proof was lost does not count for deletion', () => {
  const lost = become(noticed, 'delete/7', 'ambiguous', 725);
  expect(decideAt(lost, 726)).toMatchObject({ kind: 'wait', blocked: { by: 'no-notice' } });
});

it('the outcome of a notice only gets worse, and an equal outcome changes nothing', () => {
  expect(become(noticed, 'delete/7', 'accepted', 725)).toBe(noticed);
  for (const outcome of ['bounced', 'ambiguous'] as const) {
    const lost = become(noticed, 'delete/7', outcome, 725);
    expect(become(lost, 'delete/7', 'accepted', 726)).toBe(lost);
  }
  expect(become(noticed, 'delete/1', 'bounced', 725)).toBe(noticed);
});

it('an assessment without notices, as in old histories, leaves them unchanged', () => {
  expect(withAssessment(noticed, { activity: {}, plan }, at(725)).notices).toBe(noticed.notices);
  const notices = [{ key: 'delete/7', outcome: 'bounced' as const }];
  expect(withAssessment(noticed, { activity: {}, plan, notices }, at(725)).notices).toMatchObject([
    { outcome: 'accepted' },
    { outcome: 'bounced' },
  ]);
});

describe('while a notice runs', () => {
  it('it is looked at each day; without one the sleep is as long as it may be', () => {
    expect(decideAt(noticed, 724)).toMatchObject({ kind: 'wait', until: at(725), next: { at: at(729) } });
    expect(decideAt(noticed, 728.5)).toMatchObject({ kind: 'wait', until: at(729) });
    expect(decideAt(absentState({ rungs: climbed }), 400)).toMatchObject({ kind: 'wait', until: at(700) });
  });

  it.each([
    ['given and its rung not done', noticed, 2],
    [
      'not after a hold',
      withHold(noticed, { actor: 'op', reason: 'leave', since: at(725), until: at(800) }),
      0,
    ],
    ['not once it failed', become(noticed, 'delete/30', 'bounced', 725), 0],
    ['not after its rung', { ...noticed, rungs: { ...climbed, delete: done(730) } }, 0],
    ['not one from before bounces were known', keyless(noticed), 0],
  ])('that is: %s', (_what, state, running) => {
    expect(runningNotices(state)).toHaveLength(running);
  });
});

it('who hears of a notice late, by a change of address, has a day at least', () => {
  const last = { ...noticed, notices: [...noticed.notices, notice('delete', 1, 729)] };
  expect(scheduleOf(last, rungOf('delete')).dueAt).toBe(at(730));
  const followed = withNoticeFollowed(last, 'delete/1', at(729.9));
  expect(scheduleOf(followed, rungOf('delete')).dueAt).toBe(at(730.9));
  expect(followFloorMs(3_000)).toBe(3_000);
});

function keyless(state: LifecycleState): LifecycleState {
  return { ...state, notices: state.notices.map(({ key: _key, ...old }) => old) };
}
