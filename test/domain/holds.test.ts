/** Which hold a release ends, and which hold counts. */
import { describe, expect, it } from 'vitest';
import type { Hold } from '../../src/domain/lifecycle/holds.js';
import { chooseHold, governingHold, type HoldKind } from '../../src/domain/lifecycle/holds.js';
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

it('the hold that ends last counts, and no ended hold', () => {
  const holds = [holdOf('h1', 'leave', 10), holdOf('h2', 'other', 30), holdOf('h3', 'legal', 20)];
  expect(governingHold({ holds }, epoch)?.id).toBe('h2');
  expect(governingHold({ holds }, epoch + 30 * day)).toBeUndefined();
  expect(governingHold({}, epoch)).toBeUndefined();
});
