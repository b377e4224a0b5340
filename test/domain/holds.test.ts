/** Which hold a release ends, and which hold counts. */
import { describe, expect, it } from 'vitest';
import { areHoldsAtRest } from '../../src/domain/lifecycle/hold-transitions.js';
import type { Hold } from '../../src/domain/lifecycle/holds.js';
import {
  chooseHold,
  governingHold,
  type HoldKind,
  holdProblem,
  longestHoldMs,
  mostHolds,
} from '../../src/domain/lifecycle/holds.js';
import { day, epoch } from './fixtures.js';

const holdOf = (id: string, kind: HoldKind | undefined, days = 100): Hold => ({
  ...{ id, reason: 'r', actor: 'op', since: epoch, until: epoch + days * day },
  ...(kind === undefined ? {} : { kind }),
});
const [leave, legal, other, old] = [
  holdOf('h1', 'leave'),
  holdOf('h2', 'legal'),
  holdOf('h3', 'other'),
  holdOf('h4', undefined),
];
const otherCase = holdOf('h5', 'legal');

describe('a release', () => {
  it.each([
    ['the only one', [leave], {}, leave],
    ['the only one of before there were kinds', [old], {}, old],
    ['the only one that is not legal', [legal, leave], {}, leave],
    ['the one that is named', [leave, other], { holdId: 'h3' }, other],
    ['the one of its kind', [leave, legal, other], { kind: 'leave' as const }, leave],
    ['one without a kind as other', [leave, old], { kind: 'other' as const }, old],
    ['a legal hold by its kind', [leave, legal], { kind: 'legal' as const }, legal],
    ['one of two legal holds', [legal, otherCase], { kind: 'legal' as const, holdId: 'h5' }, otherCase],
  ])('ends %s', (_name, holds, choice, hold) => {
    expect(chooseHold(holds, choice)).toEqual({ hold });
  });

  it.each([
    ['none', [], {}, /no hold to release/],
    ['a legal hold without the word', [legal], {}, /legal hold \(h2 \(legal.*Say kind "legal"/],
    ['a legal hold by its id alone', [legal, leave], { holdId: 'h2' }, /Say kind "legal"/],
    ['one of several', [leave, other], {}, /several are meant. Name one of h1 .*h3/],
    ['one of two legal holds', [legal, otherCase], { kind: 'legal' as const }, /Name one of h2 .*h5/],
    ['one that is not there', [leave], { holdId: 'h9' }, /no such hold. There are h1/],
    ['a kind that is not there', [leave], { kind: 'other' as const }, /no such hold of kind "other"/],
    ['a leave by the word legal', [leave], { kind: 'legal' as const, holdId: 'h1' }, /no such hold of kind/],
  ])('does not end %s', (_name, holds, choice, problem) => {
    expect(chooseHold(holds, choice)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

describe('a hold that an operator asks for', () => {
  it.each([
    ['for the longest time', {}, longestHoldMs.other],
    ['of a kind', { kind: 'leave' as const }, longestHoldMs.leave],
    ['for a legal reason, for longer', { kind: 'legal' as const }, longestHoldMs.legal],
    ['for a moment', {}, 1],
  ])('%s is set', (_name, kind, forMs) => {
    expect(holdProblem({ until: epoch + forMs, ...kind }, mostHolds - 1, epoch)).toBeUndefined();
  });

  it.each([
    ['without a time', { until: Number.NaN }, 0, /until: must be epoch/],
    ['that ends now', { until: epoch }, 0, /until: is in the past/],
    [
      'of an unknown kind',
      { until: epoch + 1, kind: 'holiday' as HoldKind },
      0,
      /kind: is not a kind of hold/,
    ],
    ['for too long', { until: epoch + longestHoldMs.other + 1 }, 0, /three years/],
    [
      'for too long for a leave',
      { until: epoch + longestHoldMs.legal, kind: 'leave' as const },
      0,
      /three years/,
    ],
    [
      'for too long for a legal reason',
      { until: epoch + longestHoldMs.legal + 1, kind: 'legal' as const },
      0,
      /more than ten years/,
    ],
    ['beside too many others', { until: epoch + 1 }, mostHolds, /30 holds already/],
  ])('%s is refused', (_name, request, count, problem) => {
    expect(holdProblem(request, count, epoch)).toMatch(problem);
  });
});

it('the hold that ends last counts, and no ended hold', () => {
  const holds = [holdOf('h1', 'leave', 10), holdOf('h2', 'other', 30), holdOf('h3', 'legal', 20)];
  expect(governingHold({ holds }, epoch)?.id).toBe('h2');
  expect(governingHold({ holds }, epoch + 30 * day)).toBeUndefined();
  expect(governingHold({}, epoch)).toBeUndefined();
});

describe('a look reads holds', () => {
  it.each([
    ['before any change', true, 0, 0],
    ['between two changes', true, 2, 2],
    ['while a change began', false, 0, 1],
    ['while a change began and ended', false, 0, 2],
    ['during one change', false, 1, 1],
    ['while a change ended', false, 1, 2],
  ])('%s: they count is %s', (_when, counts, atBegin, atEnd) => {
    expect(areHoldsAtRest(atBegin, atEnd)).toBe(counts);
  });
});
