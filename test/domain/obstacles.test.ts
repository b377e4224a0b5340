/** Everything that is in the way of the ladder at once, as an operator sees it. */
import { describe, expect, it } from 'vitest';
import type { FoundIdentity } from '../../src/domain/lifecycle/assessment.js';
import { decide, type Situation } from '../../src/domain/lifecycle/decide.js';
import type { Hold } from '../../src/domain/lifecycle/holds.js';
import { liveStandingOf } from '../../src/domain/lifecycle/live-standing.js';
import { standingOf } from '../../src/domain/lifecycle/standing-of.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { lookStep } from '../../src/domain/lifecycle/steps.js';
import { absentState, day, enabled, epoch, planOf, smallPolicy } from './fixtures.js';

const now = epoch + 40 * day;
const plan = planOf(
  smallPolicy(
    'warn: { after: 30d }\nrevoke: { after: 90d, notices: [14d], noticeFloor: 7d, withoutNotice: wait }',
  ),
);
const parked = { step: 'warn', errorType: 'KratosUnavailable', wayOut: 'Retry it.', since: now - day };
const hold = (id: string, days: number): Hold => ({
  ...{ id, kind: 'other', reason: 'CASE-1', actor: 'op-1', since: now - day, until: now + days * day },
});

/** Each cause alone, as a change of a situation in which nothing is in the way and `warn` is due. */
const causes = {
  parked: (one: Situation) => withState(one, { parked }),
  'disabled-by-admin': (one: Situation) => ({
    ...one,
    identity: { ...(one.identity as FoundIdentity), state: 'inactive', stateChangedAt: now - 5 * day },
  }),
  exempt: (one: Situation) => ({ ...one, plan: { ...one.plan, exempt: 'opt-out' } }),
  hold: (one: Situation) => withState(one, { holds: [hold('h1', 3), hold('h2', 9)] }),
  breaker: (one: Situation) =>
    withState(one, {
      heldByBreaker: {
        ...{ rung: 'warn', tripId: 7, why: 'the limit', since: now - day, askedAt: now, againAt: now + day },
      },
    }),
} satisfies Record<string, (one: Situation) => Situation>;
const names = Object.keys(causes) as (keyof typeof causes)[];

function withState(one: Situation, more: Partial<LifecycleState>): Situation {
  return { ...one, state: { ...one.state, ...more } };
}

const free: Situation = { state: absentState(), plan, identity: enabled(), now };
const byOf = (situation: Situation) => liveStandingOf(situation).obstacles?.map(({ by }) => by);

/** Every set of causes, as bits. */
const sets = Array.from({ length: 2 ** names.length }, (_, bits) =>
  names.filter((_name, i) => bits & (1 << i)),
);

it.each(
  sets.map((set) => [set.join(' + ') || 'nothing', set] as const),
)('in the way: %s. All of it is named, first what the decision names', (_what, set) => {
  const situation = set.reduce((one, name) => causes[name](one), free);
  const { obstacles = [], blocked } = liveStandingOf(situation);
  // An exemption takes a rung back that was parked: the person returns to the bottom, and nothing is in the way of that.
  const returns = set.includes('parked') && set.includes('exempt') && !set.includes('disabled-by-admin');
  expect(decide(situation).kind === 'return').toBe(returns);
  expect(new Set(obstacles.map(({ by }) => by))).toEqual(new Set(returns ? [] : set));
  expect(obstacles[0]).toEqual(blocked);
  const decision = decide(situation);
  expect(decision.kind === 'wait' ? decision.blocked : undefined).toEqual(blocked);
});

it('each hold in force is named, the one that ends last first; one that is over is not', () => {
  const holds = [hold('h1', 3), { ...hold('h2', 9), reason: 'CASE-2' }, { ...hold('h0', 0), until: now }];
  const { obstacles } = liveStandingOf(withState(free, { holds }));
  expect(obstacles?.map(({ why }) => why)).toEqual([
    'on hold (CASE-2), set by op-1',
    'on hold (CASE-1), set by op-1',
  ]);
});

it('a notice that reached nobody is in the way beside a hold', () => {
  const state = absentState({
    rungs: { warn: { begunAt: now, completedAt: now, inactiveSince: epoch, afterMs: 30 * day } },
    notices: [
      {
        ...{ key: 'revoke/1', rung: 'revoke', leadMs: 14 * day, outcome: 'rejected', at: epoch + 80 * day },
        ...{ inactiveSince: epoch },
      },
    ],
    holds: [hold('h1', 60)],
  });
  const late = { state, plan, identity: enabled(), now: epoch + 81 * day };
  expect(byOf(late)).toEqual(['hold', 'no-notice']);
});

describe('an identity that Kratos does not know', () => {
  const missing = { since: now - 2 * day, looks: 1 };
  const gone: Situation = { ...free, identity: undefined, state: absentState({ missing }) };

  it('is missing first, and held as well', () => {
    expect(byOf(withState(gone, { holds: [hold('h1', 3)] }))).toEqual(['missing', 'hold']);
  });

  it('waits for the hold alone once its absence is certain and the grace is over', () => {
    const certain = { ...missing, confirmedAt: now - 60 * day, withoutGrace: true } as const;
    expect(byOf(withState(gone, { missing: certain, holds: [hold('h1', 3)] }))).toEqual(['hold']);
  });

  it('with a look that failed for good, is named by that first', () => {
    expect(byOf(withState(gone, { parked: { ...parked, step: lookStep } }))).toEqual(['parked', 'missing']);
  });
});

it('nothing is in the way of what is deleted', () => {
  const done = { begunAt: now, completedAt: now, inactiveSince: epoch, afterMs: day };
  expect(byOf(withState(free, { rungs: { delete: done }, holds: [hold('h1', 3)] }))).toEqual([]);
});

describe('when web sessions end', () => {
  const sessionsEnd = (situation: Situation) => liveStandingOf(situation).sessionsEnd;

  it('by the rung revoke: 90 days after the last sign of life, at the earliest after its notice', () => {
    const seen = withState(free, { activity: { human: now } });
    expect(sessionsEnd(seen)).toEqual({ afterMs: 90 * day, at: now + 90 * day });
  });

  it('is not known of who is exempt or on hold, nor once they ended', () => {
    expect(sessionsEnd(causes.exempt(free))).toEqual({ afterMs: 90 * day });
    expect(sessionsEnd(causes.hold(free))).toEqual({ afterMs: 90 * day });
    const done = { begunAt: now, completedAt: now, inactiveSince: epoch, afterMs: 90 * day };
    expect(sessionsEnd(withState(free, { rungs: { revoke: done } }))).toEqual({ afterMs: 90 * day });
  });

  it('is nothing where the policy has no such rung', () => {
    expect(sessionsEnd({ ...free, plan: planOf(smallPolicy('warn: { after: 30d }')) })).toBeUndefined();
  });
});

it('what a workflow writes down has none of it: no history depends on the answer', () => {
  const situation = names.reduce((one, name) => causes[name](one), free);
  expect(standingOf(situation)).not.toHaveProperty('obstacles');
  expect(standingOf(situation)).not.toHaveProperty('sessionsEnd');
});
