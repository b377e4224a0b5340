/** Kinds of signs of life by rung: a script that refreshes a token for years prevents only the rungs that count tokens. */
import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../src/domain/lifecycle/clock.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { absentState, day, enabled, epoch, planOf, smallPolicy } from './fixtures.js';

const at = (days: number): number => epoch + days * day;

/** People only for the revocation, people and tokens for the rest. */
const plan = planOf(
  smallPolicy(
    [
      'warn: {after: 30d}',
      'revoke: {after: 90d, notices: [7d], noticeFloor: 7d, withoutNotice: proceed, keepsAlive: [human]}',
      'winback: {after: 180d}',
    ].join('\n'),
  ),
);

function scripted(days: number, more: Partial<LifecycleState> = {}): LifecycleState {
  return absentState({ activity: { human: at(0), token: at(days) }, ...more });
}

function rung(name: string) {
  const found = plan.rungs.find((planned) => planned.rung === name);
  if (found === undefined) throw new Error(`the plan has no ${name}`);
  return found;
}

describe('a script refreshes a token every day', () => {
  it('and prevents the warning, which counts tokens', () => {
    expect(scheduleOf(scripted(80), rung('warn')).dueAt).toBe(at(110));
  });

  it('and does not prevent the revocation, which counts people only', () => {
    const warned = scripted(80, {
      rungs: { warn: { begunAt: at(30), completedAt: at(30), inactiveSince: at(0), afterMs: 30 * day } },
      activity: { human: at(0), token: at(0) },
    });
    expect(decide({ state: warned, plan, identity: enabled(), now: at(84) })).toMatchObject({
      kind: 'notice',
      rung: { rung: 'revoke' },
    });
  });

  it('and undoes the warning, which counts tokens, but not the revocation', () => {
    const revoked = scripted(95, {
      rungs: {
        warn: { begunAt: at(30), completedAt: at(30), inactiveSince: at(0), afterMs: 30 * day },
        revoke: { begunAt: at(90), completedAt: at(90), inactiveSince: at(0), afterMs: 90 * day },
      },
    });
    expect(decide({ state: revoked, plan, identity: enabled(), now: at(96) })).toMatchObject({
      kind: 'return',
      undo: ['warn'],
    });
  });

  it('and no kind that the policy does not name ever counts', () => {
    expect(plan.keepsAlive).toEqual(['human', 'token']);
    const serviced = absentState({ activity: { human: at(0), machine: at(80) } });
    expect(scheduleOf(serviced, rung('warn')).dueAt).toBe(at(30));
  });
});

it("the window of signals is the policy's, and never more than a twentieth of the shortest rung", () => {
  expect(plan.signalWindowMs).toBe(day);
  const short = planOf(smallPolicy('warn: {after: 10d}'));
  expect(short.signalWindowMs).toBe(day / 2);
});
