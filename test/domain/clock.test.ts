/** When a rung and its notices are due, at the boundaries of each rule. */
import { describe, expect, it } from 'vitest';
import {
  announcedByWarning,
  countsAsNotice,
  failuresWith,
  followFloorMs,
  inactiveSince,
  inactiveSinceFor,
  scheduleOf,
  skipOf,
} from '../../src/domain/lifecycle/clock.js';
import type { NoticeRecord } from '../../src/domain/lifecycle/notice-record.js';
import type { Plan, PlanRung } from '../../src/domain/plan.js';
import type { RungName } from '../../src/domain/rungs.js';
import { absentState, day, epoch, hour, planOf, smallPolicy } from './fixtures.js';

const at = (days: number): number => epoch + days * day;
const plan = planOf(
  smallPolicy(`
    warn: {after: 30d}
    suspend: {after: 60d, noticeFloor: 7d}
    deactivate: {after: 100d, notices: [30d, 7d], noticeFloor: 7d, withoutNotice: wait}`),
);
const rungOf = (name: RungName, of: Plan = plan): PlanRung =>
  of.rungs.find(({ rung }) => rung === name) ?? expect.fail(`no ${name}`);
const deactivate = rungOf('deactivate');
const done = (days: number) => ({
  begunAt: at(days),
  completedAt: at(days),
  inactiveSince: epoch,
  afterMs: day,
});
const notice = (leadDays: number, days: number, more: Partial<NoticeRecord> = {}): NoticeRecord => ({
  ...{ rung: 'deactivate', leadMs: leadDays * day, outcome: 'accepted', at: at(days), inactiveSince: epoch },
  ...more,
});

describe('how many notices in a row reached nobody', () => {
  const rung = deactivate;
  it.each<[string, NoticeRecord, number]>([
    ['the first that was refused', notice(7, 90, { outcome: 'rejected' }), 1],
    ['the third', notice(7, 90, { outcome: 'no-address', failures: 2 }), 3],
    ['one that counts ends the row', notice(7, 90, { failures: 2 }), 0],
    ['one of an earlier absence', notice(7, 90, { outcome: 'rejected', inactiveSince: at(-1) }), 0],
    ['one that a hold voided', notice(7, 90, { outcome: 'rejected', void: true, failures: 2 }), 0],
  ])('%s', (_which, last, failures) => {
    expect(failuresWith(last, { since: epoch, rung })).toBe(failures);
  });
});

describe('an outcome counts as notice', () => {
  it.each([
    ['accepted', true, true, true],
    ['ambiguous', false, true, true],
    ['rejected', false, false, true],
    ['no-address', false, false, true],
  ] as const)('%s', (outcome, ofDeletion, whereItWaits, whereItProceeds) => {
    const counts = (rung: 'delete' | 'revoke', withoutNotice: 'wait' | 'proceed') =>
      countsAsNotice(outcome, { rung, withoutNotice });
    expect(counts('delete', 'wait')).toBe(ofDeletion);
    expect(counts('delete', 'proceed')).toBe(ofDeletion);
    expect(counts('revoke', 'wait')).toBe(whereItWaits);
    expect(counts('revoke', 'proceed')).toBe(whereItProceeds);
  });
});

describe('the inactivity begins', () => {
  it('with the enrolment where no sign of life is known, or it is older', () => {
    expect(inactiveSince(absentState({ activity: {}, baselineAt: at(3) }), plan)).toBe(at(3));
    expect(inactiveSince(absentState({ activity: { human: at(2) }, baselineAt: at(3) }), plan)).toBe(at(3));
    expect(inactiveSince(absentState({ activity: { human: at(4) }, baselineAt: at(3) }), plan)).toBe(at(4));
  });

  it('for a rung that the plan no longer has, by the kinds of the whole plan', () => {
    const state = absentState({ activity: { human: at(4) } });
    expect(inactiveSinceFor(state, plan, 'delete')).toBe(at(4));
  });
});

it('a skip counts in its own absence only', () => {
  const skip = { inactiveSince: epoch, at: at(31) };
  const state = absentState({ skips: { warn: skip } });
  expect(skipOf(state, 'warn', epoch)).toEqual(skip);
  expect(skipOf(state, 'warn', epoch + 1)).toBeUndefined();
  expect(skipOf(state, 'suspend', epoch)).toBeUndefined();
});

describe('a suspension whose warning was skipped', () => {
  const dueAt = (skippedAt: number, more = {}) => {
    const skip = { inactiveSince: epoch, at: skippedAt };
    return scheduleOf(absentState({ skips: { warn: skip }, ...more }), rungOf('suspend')).dueAt;
  };
  it('keeps its distance from the skip', () => expect(dueAt(at(58))).toBe(at(65)));
  it('but not from one of an earlier absence', () => {
    expect(dueAt(at(58), { activity: { human: at(58) } })).toBe(at(118));
    expect(dueAt(at(57), { activity: { human: at(58) } })).toBe(at(118));
  });
  it('keeps its distance from the warning where there was one', () => {
    expect(dueAt(at(10), { rungs: { warn: done(59) } })).toBe(at(66));
  });
});

describe('a deactivation after 100 days with notices 30 and 7 days ahead', () => {
  const schedule = (...notices: NoticeRecord[]) => scheduleOf(absentState({ notices }), deactivate);

  it('owes the first notice 30 days ahead', () => {
    expect(schedule()).toEqual({
      dueAt: at(100),
      notice: { leadMs: 30 * day, dueAt: at(70), floorMs: 30 * day },
    });
  });

  it('owes the second 7 days ahead, once the first counts', () => {
    expect(schedule(notice(30, 70))).toEqual({
      dueAt: at(100),
      notice: { leadMs: 7 * day, dueAt: at(93), floorMs: 7 * day },
    });
  });

  it('keeps its distance from a late notice: the later notice moves along', () => {
    expect(schedule(notice(30, 90))).toMatchObject({ dueAt: at(120), notice: { dueAt: at(113) } });
    expect(schedule(notice(30, 70), notice(7, 96))).toEqual({ dueAt: at(103) });
  });

  it('keeps the day that its notice named', () => {
    expect(schedule(notice(30, 70), notice(7, 93, { announcedAt: at(104) }))).toEqual({ dueAt: at(104) });
  });

  it('leaves a day to who hears late', () => {
    expect(schedule(notice(30, 70), notice(7, 93, { followedAt: at(99.5) }))).toEqual({ dueAt: at(100.5) });
    expect(schedule(notice(30, 70), notice(7, 93, { followedAt: at(98) }))).toEqual({ dueAt: at(100) });
    expect(followFloorMs(hour)).toBe(hour);
    expect(followFloorMs(30 * day)).toBe(day);
  });

  it('counts a notice of twice its lead ahead, and none from before that', () => {
    expect(schedule(notice(30, 40)).notice?.leadMs).toBe(7 * day);
    const tooEarly = schedule(notice(30, 40, { at: at(40) - 1 }));
    expect(tooEarly.notice).toEqual({ leadMs: 30 * day, dueAt: at(70), floorMs: 30 * day });
  });

  it('tells when a notice failed, and how often before', () => {
    const refused = notice(30, 70, { outcome: 'rejected' });
    expect(schedule(refused).notice).toEqual({
      leadMs: 30 * day,
      dueAt: at(70),
      floorMs: 30 * day,
      failedAt: at(70),
    });
    expect(schedule({ ...refused, failedAt: at(71), failures: 2 }).notice).toMatchObject({
      failedAt: at(71),
      failures: 2,
    });
  });

  it.each<[string, Partial<NoticeRecord>]>([
    ['of another rung', { rung: 'revoke' }],
    ['with another lead', { leadMs: 29 * day }],
    ['that was voided', { void: true }],
    ['of another absence', { inactiveSince: epoch - 1 }],
    ['of another round', { round: 1 }],
  ])('does not count a notice %s', (_which, more) => {
    expect(schedule(notice(30, 70, more)).notice).toEqual({
      leadMs: 30 * day,
      dueAt: at(70),
      floorMs: 30 * day,
    });
  });

  it('takes the floor for the first notice where it is longer than its lead', () => {
    const short = rungOf('deactivate', { ...plan, rungs: [{ ...deactivate, noticeFloorMs: 40 * day }] });
    expect(scheduleOf(absentState(), short).notice?.floorMs).toBe(40 * day);
    const given = scheduleOf(absentState({ notices: [notice(30, 70)] }), short);
    expect(given).toMatchObject({ dueAt: at(110), notice: { floorMs: 7 * day } });
  });
});

describe('what a warning announces', () => {
  it('is the suspension, at its floor from now at the earliest', () => {
    expect(announcedByWarning(absentState(), plan, at(30))).toEqual({ action: 'suspend', at: at(60) });
    expect(announcedByWarning(absentState(), plan, at(58))).toEqual({ action: 'suspend', at: at(65) });
  });

  it('is nothing where only mails follow', () => {
    const mails = planOf(smallPolicy('warn: {after: 30d}\nwinback: {after: 60d}'));
    expect(announcedByWarning(absentState(), mails, at(30))).toBeUndefined();
  });
});

describe('a late deactivation', () => {
  const withDeletion = planOf(
    smallPolicy(
      `
      deactivate: {after: 100d, notices: [7d], noticeFloor: 7d, withoutNotice: wait}
      delete: {after: 200d, notices: [30d], noticeFloor: 30d}`,
      'deletion: {coolDown: 50d}\n',
    ),
  );
  it('does not shorten the time until the deletion', () => {
    const state = absentState({ rungs: { deactivate: done(180) } });
    expect(scheduleOf(state, rungOf('delete', withDeletion)).dueAt).toBe(at(230));
    expect(scheduleOf(absentState(), rungOf('delete', withDeletion)).dueAt).toBe(at(200));
  });
  it('moves no other rung', () => {
    const state = absentState({ rungs: { deactivate: done(180) } });
    expect(scheduleOf(state, rungOf('deactivate', withDeletion)).dueAt).toBe(at(100));
  });
});
