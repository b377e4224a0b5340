/** How the breaker's answer changes what a lifecycle does. */
import { describe, expect, test } from 'vitest';
import { breakerAskedAgainAt, decide } from '../../../src/domain/lifecycle/decide.js';
import type { HeldByBreaker, LifecycleState } from '../../../src/domain/lifecycle/state.js';
import {
  withBreakerAskedAtOnce,
  withHeldByBreaker,
  withReturn,
} from '../../../src/domain/lifecycle/transitions.js';
import { absentState, day, enabled, epoch, hour, planOf } from '../fixtures.js';

const plan = planOf();
const dueAt = epoch + 90 * day;
const done = (days: number) => ({
  begunAt: epoch + days * day,
  completedAt: epoch + days * day,
  inactiveSince: epoch,
  afterMs: days * day,
});
const due: LifecycleState = absentState({
  rungs: { warn: done(30), suspend: done(60) },
  notices: [
    { rung: 'revoke', leadMs: 7 * day, outcome: 'accepted', at: dueAt - 7 * day, inactiveSince: epoch },
  ],
});
const held: HeldByBreaker = {
  rung: 'revoke',
  tripId: 3,
  why: 'too many',
  since: dueAt,
  askedAt: dueAt,
  againAt: breakerAskedAgainAt(dueAt, plan),
};
const at = (state: LifecycleState, now: number) => decide({ state, plan, identity: enabled(), now });

describe('a rung that the breaker holds', () => {
  const waiting = withHeldByBreaker(due, held);
  test('is due without the breaker', () => {
    expect(at(due, dueAt)).toMatchObject({ kind: 'rung', rung: { rung: 'revoke' } });
  });
  test('waits, says why, and asks again after a day', () => {
    expect(at(waiting, dueAt + 1)).toMatchObject({
      kind: 'wait',
      until: dueAt + day,
      next: { step: 'rung', rung: 'revoke' },
      blocked: { by: 'breaker', why: expect.stringContaining('trip 3') },
    });
    expect(at(waiting, dueAt + day - 1)).toMatchObject({ kind: 'wait' });
    expect(at(waiting, dueAt + day)).toMatchObject({ kind: 'rung' });
  });
  test('is asked again sooner where the policy looks sooner', () => {
    expect(breakerAskedAgainAt(dueAt, { recheckMs: hour })).toBe(dueAt + hour);
    expect(breakerAskedAgainAt(dueAt, { recheckMs: 7 * day })).toBe(dueAt + day);
  });
  test('asks again within the hour where an older build held it', () => {
    const { againAt: _againAt, ...older } = held;
    const state = withHeldByBreaker(due, older);
    expect(at(state, dueAt + 1)).toMatchObject({ kind: 'wait', until: dueAt + hour });
    expect(at(state, dueAt + hour)).toMatchObject({ kind: 'rung' });
  });
  test('asks at once when an operator requests a look', () => {
    expect(at(withBreakerAskedAtOnce(waiting), dueAt + 1)).toMatchObject({ kind: 'rung' });
    expect(withBreakerAskedAtOnce(due)).toBe(due);
  });
  test('holds up no other rung', () => {
    expect(at(withHeldByBreaker(due, { ...held, rung: 'delete' }), dueAt)).toMatchObject({ kind: 'rung' });
  });
  test('does not prevent a return, and is forgotten at the return', () => {
    const back = { ...waiting, activity: { human: dueAt } };
    const decision = at(back, dueAt + 1);
    expect(decision).toMatchObject({ kind: 'return', cause: 'activity' });
    if (decision.kind === 'return') {
      expect(withReturn(back, decision, dueAt + 1)).not.toHaveProperty('heldByBreaker');
    }
  });
});
