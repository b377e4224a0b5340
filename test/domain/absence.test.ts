/** When an identity that Kratos no longer knows counts as deleted. */
import { describe, expect, it, test } from 'vitest';
import {
  type Absence,
  type AbsenceRules,
  absentLookAt,
  burialAt,
  type Missing,
  whyMissing,
  withAbsentLook,
} from '../../src/domain/lifecycle/absence.js';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { initialState, type LifecycleState } from '../../src/domain/lifecycle/state.js';
import { buryStep } from '../../src/domain/lifecycle/steps.js';
import { withAssessment, withRemembered } from '../../src/domain/lifecycle/transitions.js';
import { anna, day, planOf, smallPolicy } from './fixtures.js';

const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
const rules: AbsenceRules = { looks: 3, overMs: day, graceMs: 30 * day };
const witnessed: Absence = { control: 'witnessed', wasKnown: true };
const doubted: Absence = { control: 'doubted', why: '7 of 8 others are missing, too', wasKnown: true };

/** @param looks what each look found, and how many hours after the first */
function lookedAt(looks: readonly (readonly [number, Absence])[], under = rules): Missing {
  const found = looks.reduce<Missing | undefined>(
    (before, [hours, absence]) => withAbsentLook(before, absence, under, start + hours * hour),
    undefined,
  );
  return found ?? expect.fail('no look');
}

describe('an absence is certain', () => {
  test.each([
    ['after three looks over a day', [0, 12, 24], true],
    ['not after two', [0, 24], false],
    ['not after a hundred within an hour', Array.from({ length: 100 }, (_, index) => index / 100), false],
    ['not after three over 23 hours', [0, 11.5, 23], false],
    ['not after three over a day of which two come close together', [0, 23, 24], false],
    ['where looks came late, as soon as there are enough', [0, 500, 512], true],
  ] as const)('%s', (_case, hours, isCertain) => {
    const missing = lookedAt(hours.map((at) => [at, witnessed] as const));
    expect(missing.confirmedAt !== undefined).toBe(isCertain);
  });

  it('not by inconclusive looks, however many', () => {
    const missing = lookedAt(Array.from({ length: 1_000 }, (_, index) => [index * 24, doubted] as const));
    expect(missing).toMatchObject({ looks: 0, doubt: '7 of 8 others are missing, too' });
    expect(burialAt(missing, rules)).toBeUndefined();
  });

  it('later, if some looks are inconclusive: they do not count, and reset nothing', () => {
    const missing = lookedAt([
      [0, doubted],
      [1, witnessed],
      [13, doubted],
      [14, witnessed],
      [26, witnessed],
    ]);
    expect(missing).toMatchObject({ since: start, looks: 3, confirmedAt: start + 26 * hour });
    expect(missing.doubt).toBeUndefined();
  });

  it('by an operator’s word for this absence, but not by an earlier one', () => {
    const at = (hours: number) => ({
      ...doubted,
      confirmation: { at: start + hours * hour, withoutGrace: false },
    });
    expect(
      lookedAt([
        [0, doubted],
        [2, at(1)],
      ]).confirmedAt,
    ).toBe(start + 2 * hour);
    expect(
      lookedAt([
        [0, doubted],
        [2, at(-1)],
      ]).confirmedAt,
    ).toBeUndefined();
    const now = { ...doubted, confirmation: { at: start + hour, withoutGrace: true } };
    expect(
      burialAt(
        lookedAt([
          [0, doubted],
          [2, now],
        ]),
        rules,
      ),
    ).toBe(start + 2 * hour);
  });
});

it('the next look comes when it can count, soon and then ever later after an inconclusive one, and at the burial', () => {
  const next = (missing: Missing, hours: number) =>
    (absentLookAt(missing, rules, 7 * day, start + hours * hour) - start) / hour;
  expect(next(lookedAt([[0, witnessed]]), 0)).toBe(12);
  expect(next(lookedAt([[0, doubted]]), 0)).toBe(1);
  expect(next(lookedAt([[0, doubted]]), 240)).toBe(264);
  expect(next(lookedAt([[0, doubted]]), 24_000)).toBe(24_000 + 7 * 24);
  const certain = lookedAt([
    [0, witnessed],
    [12, witnessed],
    [24, witnessed],
  ]);
  expect(next(certain, 24)).toBe(24 + 7 * 24);
  expect(next(certain, 24 + 29 * 24)).toBe(24 + 30 * 24);
});

it('the standing says since when the identity is missing, how certain that is, and what follows', () => {
  expect(
    whyMissing(
      lookedAt([
        [0, witnessed],
        [12, doubted],
      ]),
      rules,
    ),
  ).toBe(
    'missing since 2026-01-01T00:00:00.000Z; Kratos did not know it at 1 of 3 looks; the latest look says nothing: 7 of 8 others are missing, too',
  );
  expect(
    whyMissing(
      lookedAt([
        [0, witnessed],
        [12, witnessed],
        [24, witnessed],
      ]),
      rules,
    ),
  ).toBe(
    'missing since 2026-01-01T00:00:00.000Z; it is taken for deleted elsewhere, and forgotten from 2026-02-01T00:00:00.000Z on',
  );
});

describe('the lifecycle of a missing identity', () => {
  const plan = planOf(smallPolicy('warn: {after: 30d}\nsuspend: {after: 60d, noticeFloor: 7d}'));
  const known: LifecycleState = {
    ...initialState(anna, { id: 'small' }, start),
    known: true,
    activity: { human: start },
    rungs: { warn: { begunAt: start, completedAt: start, inactiveSince: start, afterMs: day } },
    notices: [{ rung: 'suspend', leadMs: day, outcome: 'accepted', at: start, inactiveSince: start }],
  };
  const look = (state: LifecycleState, hours: number, absence: Absence = witnessed) =>
    withAssessment(state, { absence, activity: {}, plan }, start + hours * hour);
  const decided = (state: LifecycleState, hours: number) =>
    decide({ state, plan, identity: undefined, now: start + hours * hour });
  const certain = [12, 24].reduce((state, hours) => look(state, hours), look(known, 0));
  const due = 24 + 30 * 24;

  it('waits and is shown as missing, until the grace period is over', () => {
    expect(decided(look(known, 0), 0)).toMatchObject({
      kind: 'wait',
      until: start + 12 * hour,
      blocked: { by: 'missing', since: start },
    });
    expect(decided(certain, due - 1)).toMatchObject({ next: { rung: 'bury' }, blocked: { by: 'missing' } });
    expect(decided(look(certain, due), due)).toMatchObject({ kind: 'bury' });
  });

  it('is not buried by an inconclusive look', () => {
    expect(decided(look(certain, due, doubted), due)).toMatchObject({
      kind: 'wait',
      blocked: { by: 'missing' },
    });
  });

  it('is not buried again where the burial failed for good: it waits for an operator', () => {
    const parked = { step: buryStep, errorType: 'KratosUnavailable', wayOut: 'Retry.', since: start };
    const decision = decided({ ...look(certain, due), parked }, due);
    expect(decision).toMatchObject({ kind: 'wait', blocked: { by: 'parked' } });
    expect(decision).not.toHaveProperty('until');
  });

  it('has no next step before its absence is certain', () => {
    expect(decided(look(known, 0), 0)).not.toHaveProperty('next');
  });

  it('is not buried on hold', () => {
    const hold = {
      id: 'h1',
      kind: 'legal',
      reason: 'case 7',
      actor: 'op',
      since: start,
      until: start + 99 * day,
    };
    const state = { ...certain, holds: [hold] } as LifecycleState;
    expect(decided(look(state, due), due)).toMatchObject({ kind: 'wait', blocked: { by: 'hold' } });
  });

  it('continues from its stage when the identity is there again; notices are given anew', () => {
    const identity = {
      state: 'active',
      stateChangedAt: start - 400 * day,
      createdAt: start - 400 * day,
      disabledByEngine: false,
      publishedStage: 'warned',
    } as const;
    const back = withAssessment(certain, { identity, activity: {}, plan }, start + 48 * hour);
    expect(back.missing).toBeUndefined();
    expect(back).toMatchObject({ rungs: known.rungs, activity: known.activity });
    expect(back.notices).toEqual([expect.objectContaining({ void: true })]);
  });

  it('of an identity that was never known is forgotten, unless the look is in doubt', () => {
    const unknown = { ...known, known: false };
    const never = { control: 'witnessed', wasKnown: false } as const;
    expect(decided(look(unknown, 0, never), 0)).toEqual({ kind: 'gone' });
    expect(decided(look(unknown, 0, { ...never, control: 'none' }), 0)).toEqual({ kind: 'gone' });
    expect(decided(look(unknown, 0, { ...never, control: 'doubted' }), 0)).toMatchObject({ kind: 'wait' });
    expect(decided(look(unknown, 0), 0), 'PostgreSQL knows it').toMatchObject({ kind: 'wait' });
  });

  it('takes up stage and times after a burial; after a deletion by the engine, its clock starts now', () => {
    const fresh = initialState(anna, { id: 'other' }, start + 100 * day);
    const { activity, baselineAt, rungs, stageSince, policyChoice } = known;
    const remembered = { activity, baselineAt, rungs, stageSince, policyChoice };
    expect(withRemembered(fresh, { at: start, remembered }, start + 100 * day)).toMatchObject(remembered);
    expect(withRemembered(fresh, { at: start }, start + 100 * day)).toMatchObject({
      rungs: {},
      baselineAt: start + 100 * day,
    });
  });
});
