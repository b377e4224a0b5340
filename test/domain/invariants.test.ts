/** The design's invariants (sections 1 to 3), held over whole random lives. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { governingHold } from '../../src/domain/lifecycle/holds.js';
import { begunRungs } from '../../src/domain/lifecycle/justification.js';
import type { NoticeOutcome } from '../../src/domain/lifecycle/notice-record.js';
import { stageOf } from '../../src/domain/lifecycle/stage.js';
import { standingOf } from '../../src/domain/lifecycle/standing-of.js';
import type { LifecycleState } from '../../src/domain/lifecycle/state.js';
import { isDestructive, type RungName, rungNames } from '../../src/domain/rungs.js';
import { day, defaultPolicy, epoch, hour } from './fixtures.js';
import { policies, scenario } from './scenarios.js';
import { type Entry, type Mail, type Scenario, Simulation } from './simulator.js';

type Decided = Extract<Entry, { type: 'decided' }>;
type Effect = Extract<Entry, { type: 'effect' }>;

/** DORMOUSE_TEST_RUNS=20000 searches for longer. */
const numRuns = Number(process.env.DORMOUSE_TEST_RUNS ?? 200);
vi.setConfig({ testTimeout: 20_000 + numRuns * 20 });

let lives: readonly (readonly Entry[])[] | undefined;

/**
 * The histories of the lives that each property is checked on. Lives are the same in every property, so they are lived once.
 * Where DORMOUSE_TEST_RUNS is given, each property has its own: a long search keeps no histories, and Stryker runs a mutant
 * only under tests that reached it themselves.
 */
function sharedLives(): readonly (readonly Entry[])[] {
  lives ??= fc.sample(scenario, numRuns).map((life) => new Simulation(life).run().history);
  return lives;
}

function everyEntry<Type extends Entry['type']>(
  type: Type,
  check: (entry: Extract<Entry, { type: Type }>) => void,
  parameters: fc.Parameters<[Scenario]> = { numRuns },
): void {
  const checkAll = (history: readonly Entry[]): void => {
    for (const entry of history) {
      if (entry.type === type) check(entry as Extract<Entry, { type: Type }>);
    }
  };
  if (process.env.DORMOUSE_TEST_RUNS === undefined && parameters.numRuns === numRuns) {
    try {
      sharedLives().forEach(checkAll);
      return;
    } catch {
      // What follows finds the shortest life that fails.
    }
  }
  fc.assert(
    fc.property(scenario, (life) => checkAll(new Simulation(life).run().history)),
    parameters,
  );
}

const isHandDisabled = ({ situation: { identity } }: Decided): boolean =>
  identity?.state === 'inactive' && !identity.disabledByEngine;

describe('over random lives', () => {
  it('(a) no rung begins on a person seen within its threshold', () => {
    everyEntry('decided', ({ decision, situation, knownSince }) => {
      if (decision.kind !== 'rung' || situation.identity === undefined) return;
      expect(situation.now - knownSince).toBeGreaterThanOrEqual(decision.rung.afterMs);
    });
  });

  it('(a) and no rung takes effect against a sign of life that the engine knew', () => {
    everyEntry('effect', ({ at, knownSince, rung }) => {
      expect(at - knownSince).toBeGreaterThanOrEqual(rung.afterMs);
    });
  });

  it('(b) destructive rungs come no sooner than the floor after notices that count, since the last sign of life', () => {
    everyEntry('effect', (effect) => {
      if (isDestructive(effect.rung.rung)) expect(missingNotices(effect)).toEqual([]);
    });
  });

  it('(b) nor before the date that the last notice of them announced, whatever the policy became since', () => {
    everyEntry('effect', (effect) => {
      const { announcedAt } = noticesThatCount(effect).at(-1) ?? {};
      if (announcedAt !== undefined) expect(effect.at).toBeGreaterThanOrEqual(announcedAt);
    });
  });

  it('(b) a suspension comes no sooner than its floor after a warning, since the last sign of life and hold', () => {
    everyEntry('effect', ({ rung, plan, at, warnedAt, knownSince, heldUntil }) => {
      if (rung.rung !== 'suspend' || !plan.rungs.some((other) => other.rung === 'warn')) return;
      if (warnedAt !== undefined) expect(warnedAt).toBeGreaterThanOrEqual(Math.max(knownSince, heldUntil));
      expect(at - (warnedAt ?? heldUntil)).toBeGreaterThanOrEqual(rung.noticeFloorMs);
    });
  });

  it('(c) the rungs come in order, each once an absence', () => {
    everyEntry('completed', ({ rung, before }) => {
      expect(before.rungs[rung]?.completedAt).toBeUndefined();
      const harsher = rungNames.slice(rungNames.indexOf(rung) + 1).filter((other) => other !== 'winback');
      expect(harsher.filter((other) => isDone(before, other))).toEqual([]);
    });
  });

  it('(d) the same situation gives the same decision, a sleep ends in the future, and deadlines stand still', () => {
    everyEntry('decided', ({ decision, situation }) => {
      expect(isDeepStrictEqual(decide(situation), decision)).toBe(true);
      if (decision.kind !== 'wait' || decision.until === undefined) return;
      expect(decision.until).toBeGreaterThan(situation.now);
      if (decision.next === undefined) return;
      expect(decide({ ...situation, now: Math.floor((situation.now + decision.until) / 2) })).toEqual(
        decision,
      );
      expect(decide({ ...situation, now: decision.until }).kind).toBe(decision.next.step);
    });
  });

  it('(e) a sign of life after a rung brings the person back with the very next decision', () => {
    everyEntry('decided', ({ decision, situation, knownSince }) => {
      const { state, identity } = situation;
      const begun = begunRungs(state);
      const begunAt = Math.max(...begun.map((rung) => state.rungs[rung]?.begunAt ?? 0));
      if (begun.length === 0 || knownSince <= begunAt || isDone(state, 'deactivate')) return;
      if (identity === undefined || isHandDisabled({ decision, situation, knownSince, type: 'decided' }))
        return;
      if (state.parked?.step === 'return') return;
      expect(decision).toEqual({ kind: 'return', cause: 'activity', undo: begun });
    });
  });

  it('(e) a completed deactivation is undone by earlier evidence, an operator, or an admin only', () => {
    everyEntry('decided', ({ decision, situation, knownSince }) => {
      const end = situation.state.rungs.deactivate?.completedAt;
      if (end === undefined || decision.kind !== 'return') return;
      if (decision.cause === 'operator') expect(situation.state.reactivation).toBeDefined();
      else if (decision.cause === 'admin-in-kratos') expect(situation.identity?.state).toBe('active');
      else {
        expect(decision.cause).toBe('activity');
        expect(knownSince).toBeLessThanOrEqual(end);
      }
    });
  });

  it('(f) on hold nothing happens but returns', () => {
    everyEntry('decided', ({ decision, situation: { state, now, identity } }) => {
      if (governingHold(state, now) === undefined || identity === undefined) return;
      expect(['return', 'wait', 'finished']).toContain(decision.kind);
    });
  });

  it('(g) an identity disabled by hand is left alone', () => {
    everyEntry('decided', (entry) => {
      if (!isHandDisabled(entry)) return;
      const { decision } = entry;
      if (decision.kind === 'return') expect(decision.cause).toBe('operator');
      else expect(decision.kind).toBe('wait');
    });
  });

  it('(h) an exempt identity is left alone, and earlier rungs are taken back', () => {
    everyEntry('decided', ({ decision, situation: { plan, identity, state } }) => {
      if (plan.exempt === undefined || identity === undefined) return;
      expect(['return', 'wait']).toContain(decision.kind);
      const untouched = identity.state === 'active' && state.parked === undefined;
      if (decision.kind === 'wait' && untouched) expect(begunRungs(state)).toEqual([]);
    });
  });

  it('(j) the standing names the step that follows', () => {
    everyEntry('decided', ({ decision, situation }) => {
      const standing = standingOf(situation);
      expect(standing.stage).toBe(stageOf(situation.state));
      if (decision.kind === 'wait') {
        expect(isDeepStrictEqual(standing.next, decision.next)).toBe(true);
        expect(isDeepStrictEqual(standing.blocked, decision.blocked)).toBe(true);
      } else {
        const due = decision.kind === 'rung' || decision.kind === 'notice';
        expect(standing.next?.rung).toBe(due ? decision.rung.rung : undefined);
        expect(standing.blocked).toBeUndefined();
      }
      expect(standing.why).not.toBe('');
    });
  });

  it('(k) nothing that a person postponed happens before the date that they were promised', () => {
    everyEntry('effect', ({ at, rung, promisedUntil }) => {
      // Only a deactivation and a deletion have a last look here; signing in undoes a revocation.
      if (rung.rung !== 'revoke') expect(at).toBeGreaterThanOrEqual(promisedUntil);
    });
  });

  it('the lives reach every stage, every cause of return and every block', () => {
    const met = new Set<string>();
    const note = ({ decision, situation }: Decided): void => {
      met.add(stageOf(situation.state));
      if (decision.kind === 'return') met.add(decision.cause);
      if (decision.kind === 'wait' && decision.blocked) met.add(decision.blocked.by);
    };
    everyEntry('decided', note, { numRuns: 250, seed: 42 });
    const stages = ['active', 'warned', 'suspended', 'revoked', 'deactivated', 'deleted'];
    const causes = ['activity', 'policy', 'exempt', 'operator', 'admin-in-kratos'];
    const blocks = ['parked', 'hold', 'exempt', 'disabled-by-admin', 'no-notice'];
    expect([...met]).toEqual(expect.arrayContaining([...stages, ...causes, ...blocks]));
  });
});

describe('over lives without any sign', () => {
  const absence = fc.record({
    policy: fc.constantFrom(...policies.filter(({ ladder }) => ladder.delete !== undefined)),
    seenDaysBefore: fc.oneof(fc.nat(40), fc.nat(3_650), fc.constant(3_650)),
    delaysMs: fc.array(fc.nat(6 * hour), { minLength: 1, maxLength: 5 }),
  });

  it('(i) end in deletion, in bounded time, with every floor kept', () => {
    fc.assert(
      fc.property(absence, ({ policy, seenDaysBefore, delaysMs }) => {
        const after = policy.ladder.delete?.after ?? 0;
        const life = absent(seenDaysBefore, { policies: [policy], delaysMs });
        const { history } = new Simulation(life).run();
        // Long overdue: 7 days for suspend, revoke and deactivate each, and 30, 7 and 1 for the deletion.
        const latest = Math.max(life.lastSeenAt + after, epoch) + (21 + 38) * day + 5 * day;
        const last = history.at(-1);
        expect(last).toMatchObject({ type: 'ended', how: 'finished' });
        expect(last?.type === 'ended' ? last.at : undefined).toBeLessThanOrEqual(latest);
        for (const entry of history) {
          if (entry.type === 'effect' && isDestructive(entry.rung.rung))
            expect(missingNotices(entry)).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('(i) a person last seen ten years ago is warned first, with every floor kept', () => {
    const life = absent(3_650, { policies: [{ ...defaultPolicy, jitter: 0 }], delaysMs: [0] });
    const effects = new Simulation(life)
      .run()
      .history.flatMap((entry) =>
        entry.type === 'effect' ? [[entry.rung.rung, (entry.at - epoch) / day]] : [],
      );
    expect(effects).toEqual([
      ['warn', 0],
      ['suspend', 7],
      ['revoke', 14],
      ['winback', 14],
      ['deactivate', 21],
      ['delete', 51],
    ]);
  });

  it('(k) a deletion postponed as often as the policy grants still comes, with every floor and promise kept', () => {
    const keeping = policies.filter(({ selfService, ladder }) => selfService?.keep && ladder.delete);
    const presses = fc.array(fc.integer({ min: 0, max: 30 * day }), { minLength: 20, maxLength: 60 });
    const rounds = new Set<number>();
    fc.assert(
      fc.property(fc.constantFrom(...keeping), fc.nat(400), presses, (policy, seenDaysBefore, gaps) => {
        const happenings = gaps.map((afterMs) => ({ afterMs, what: { do: 'keep' as const, index: 0 } }));
        const life = { ...absent(seenDaysBefore, { policies: [policy], delaysMs: [0] }), happenings };
        const { history } = new Simulation(life).run();
        for (const entry of history) {
          if (entry.type === 'postponed') rounds.add(entry.postponement.round);
          if (entry.type !== 'effect' || !isDestructive(entry.rung.rung)) continue;
          expect(missingNotices(entry)).toEqual([]);
          expect(entry.at).toBeGreaterThanOrEqual(entry.promisedUntil);
        }
        expect(history.at(-1)).toMatchObject({ type: 'ended', how: 'finished' });
      }),
      { numRuns: 200 },
    );
    expect([...rounds].sort()).toEqual([0, 1, 2]);
  });

  function absent(seenDaysBefore: number, more: Pick<Scenario, 'policies' | 'delaysMs'>): Scenario {
    return {
      ...more,
      lastSeenAt: epoch - seenDaysBefore * day,
      enrolledAt: epoch,
      happenings: [],
      luck: ['accepted'],
      until: epoch + 4_000 * day,
    };
  }
});

function isDone(state: LifecycleState, rung: RungName): boolean {
  return state.rungs[rung]?.completedAt !== undefined;
}

/** The leads of the rung for which no mail was sent early enough, after the last sign of life and the last hold. */
function missingNotices(effect: Effect): number[] {
  const { rung, at } = effect;
  const given = noticesThatCount(effect);
  return rung.noticeLeadsMs.filter((leadMs, index) => {
    const floorMs = index === 0 ? Math.max(leadMs, rung.noticeFloorMs) : leadMs;
    return !given.some((mail) => mail.leadMs === leadMs && at - mail.at >= floorMs);
  });
}

/** The notices of the rung, of those that its plan wants, since the last sign of life and the last hold. */
function noticesThatCount({ rung, mails, knownSince, heldUntil }: Effect): Mail[] {
  const thatCount = outcomesThatCount(rung);
  return mails.filter(
    (mail) =>
      mail.rung === rung.rung &&
      rung.noticeLeadsMs.includes(mail.leadMs) &&
      thatCount.includes(mail.outcome) &&
      mail.at >= Math.max(knownSince, heldUntil),
  );
}

/** Invariant 2, computed independently of the engine. */
function outcomesThatCount({ rung, withoutNotice }: Effect['rung']): NoticeOutcome[] {
  if (rung === 'delete') return ['accepted'];
  const delivered: NoticeOutcome[] = ['accepted', 'ambiguous'];
  return withoutNotice === 'wait' ? delivered : [...delivered, 'rejected', 'no-address'];
}
