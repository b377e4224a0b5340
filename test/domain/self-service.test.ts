/** Rules of postponements and of returns by link, without the links. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import type { NoticeRecord } from '../../src/domain/lifecycle/notice-record.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { withReturn } from '../../src/domain/lifecycle/transitions.js';
import type { PlanRung } from '../../src/domain/plan.js';
import { type Postponement, postponedUntil } from '../../src/domain/postponement.js';
import { destructiveRungs, type RungName, rungNames } from '../../src/domain/rungs.js';
import { absentState, day, enabled, epoch, exactPolicy, planOf } from './fixtures.js';

const plan = planOf();
const at = (days: number): number => epoch + days * day;

function rungOf(name: RungName): PlanRung {
  const rung = plan.rungs.find((one) => one.rung === name);
  if (rung === undefined) throw new Error(`no rung ${name}`);
  return rung;
}

const kept = (more: Partial<Postponement> = {}): Postponement => ({
  rung: 'delete',
  inactiveSince: epoch,
  round: 0,
  untilAt: at(760),
  confirmedAt: at(725),
  ...more,
});
const noticed = (leadDays: number, days: number, more: Partial<NoticeRecord> = {}): NoticeRecord => ({
  rung: 'delete',
  leadMs: leadDays * day,
  outcome: 'accepted',
  at: at(days),
  inactiveSince: epoch,
  ...more,
});
const stateWith = (more: Partial<LifecycleState>) => absentState(more);

describe('a postponement', () => {
  it('moves the rung to the promised date, and every notice with it', () => {
    const before = [noticed(30, 700), noticed(7, 723)];
    const state = stateWith({ notices: before, postponements: [kept()] });
    const floorMs = 30 * day;
    expect(scheduleOf(state, rungOf('delete'))).toEqual({
      dueAt: at(760),
      notice: { leadMs: 30 * day, dueAt: at(730), floorMs },
    });
    const anew = stateWith({
      notices: [noticed(30, 730, { round: 1 }), noticed(7, 753, { round: 1 }), noticed(1, 759, { round: 1 })],
      postponements: [kept()],
    });
    expect(scheduleOf(anew, rungOf('delete'))).toEqual({ dueAt: at(760) });
  });

  it('asks for the notice anew even where the lead is as long as the postponement', () => {
    // Given at 700 for 730: by its age alone it would still count for 760.
    const state = stateWith({ notices: [noticed(30, 701)], postponements: [kept()] });
    expect(scheduleOf(state, rungOf('delete')).notice).toMatchObject({ leadMs: 30 * day, dueAt: at(730) });
  });

  it('is never answered by the next announcement at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 700, max: 800 }), (confirmedDay) => {
        const rung = rungOf('delete');
        const now = at(confirmedDay);
        const untilAt = postponedUntil(at(730), rung.keep?.postponesMs ?? 0, now);
        const state = stateWith({
          notices: [noticed(30, 700), noticed(7, 723), noticed(1, 729)],
          postponements: [kept({ untilAt, confirmedAt: now })],
        });
        const { notice } = scheduleOf(state, rung);
        expect(notice?.dueAt).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it('counts from now on where the announced date has passed', () => {
    expect(postponedUntil(at(730), 30 * day, at(724))).toBe(at(760));
    expect(postponedUntil(at(730), 30 * day, at(740))).toBe(at(770));
  });

  it('of another absence or another rung changes nothing', () => {
    const others = [kept({ inactiveSince: epoch - 1 }), kept({ rung: 'deactivate' })];
    const notices = [noticed(30, 700)];
    expect(scheduleOf(stateWith({ notices, postponements: others }), rungOf('delete'))).toEqual(
      scheduleOf(stateWith({ notices }), rungOf('delete')),
    );
  });

  it('does not start the ladder: a rung that is not due is not carried out on the promised date of another', () => {
    const decision = decide({
      state: stateWith({ postponements: [kept()] }),
      plan,
      identity: enabled(),
      now: at(29),
    });
    expect(decision).toMatchObject({ kind: 'wait', until: at(30) });
  });

  const postponement = fc.record({
    rung: fc.constantFrom(...destructiveRungs),
    inactiveSince: fc.constantFrom(epoch, epoch - day),
    round: fc.nat(5),
    untilAt: fc.integer({ min: epoch - 10 * day, max: at(3_000) }),
    confirmedAt: fc.integer({ min: epoch, max: at(800) }),
  });

  it('never brings a rung forward, moves listed rungs only, and no more often than the policy grants', () => {
    fc.assert(
      fc.property(fc.array(postponement, { maxLength: 12 }), (postponements) => {
        for (const name of rungNames) {
          const rung = rungOf(name);
          const plain = scheduleOf(stateWith({}), rung).dueAt;
          const moved = scheduleOf(stateWith({ postponements }), rung).dueAt;
          const mine = postponements
            .filter((one) => one.rung === name && one.inactiveSince === epoch)
            .sort((a, b) => a.round - b.round)
            .slice(0, 2);
          const isListed = name === 'deactivate' || name === 'delete';
          const latest = Math.max(plain, ...(isListed ? mine.map(({ untilAt }) => untilAt) : []));
          expect(moved).toBe(latest);
          expect(moved).toBeGreaterThanOrEqual(plain);
        }
      }),
    );
  });
});

describe('a return by link', () => {
  const allowed = { linkLifetimeMs: day };

  it.each([
    ['nobody special', {}, allowed],
    ['a role that is not named', { adminRole: 'user' }, allowed],
    ['a role set by an admin', { adminRole: 'admin' }, undefined],
    ['a role in the traits', { traitsRole: 'admin' }, undefined],
    ['either of two', { adminRole: 'user', traitsRole: 'admin' }, undefined],
  ])('%s', (_who, subject, expected) => {
    expect(planOf(exactPolicy, subject).selfReactivation).toEqual(expected);
  });

  it('is not offered without a section in the policy', () => {
    const { selfService: _left, ...silent } = exactPolicy;
    expect(planOf(silent).selfReactivation).toBeUndefined();
    expect(planOf(silent).rungs.every(({ keep }) => keep === undefined)).toBe(true);
  });

  it('is recorded as self-service, and the clock starts anew', () => {
    const completed = { begunAt: at(365), completedAt: at(365), inactiveSince: epoch, afterMs: 365 * day };
    const state = stateWith({
      rungs: { deactivate: completed },
      reactivation: { actor: 'self-service', reason: 'mail-link', at: at(400), selfService: true },
    });
    const identity = enabled({ state: 'inactive', disabledByEngine: true, stateChangedAt: at(365) });
    const decision = decide({ state, plan, identity, now: at(400) });
    expect(decision).toEqual({ kind: 'return', cause: 'self-service', undo: ['deactivate'] });
    if (decision.kind !== 'return') throw new Error('no return');
    const back = withReturn(state, decision, at(401));
    expect(back).toMatchObject({ baselineAt: at(400), rungs: {} });
    expect(back.reactivation).toBeUndefined();
  });
});
