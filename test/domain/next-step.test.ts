/** A step that is due stays the same step while the clock goes on. */
import { expect, it } from 'vitest';
import { isSameDueStep, type NextStep } from '../../src/domain/lifecycle/next-step.js';

const now = 1_000;
const revoke = (at: number): NextStep => ({ step: 'rung', rung: 'revoke', at });

it.each<[string, NextStep | undefined, NextStep | undefined, boolean]>([
  ['due at the same time', revoke(900), revoke(900), true],
  ['due since before, and still', revoke(900), revoke(1_000), true],
  ['due at this moment, and still', revoke(1_000), revoke(1_000), true],
  ['not due yet when it was noted', revoke(1_001), revoke(1_000), false],
  ['put off', revoke(900), revoke(1_001), false],
  ['another rung', revoke(900), { ...revoke(900), rung: 'delete' }, false],
  ['its notice in place of the rung', revoke(900), { ...revoke(900), step: 'notice' }, false],
  ['nothing was to come', undefined, revoke(900), false],
  ['nothing is to come', revoke(900), undefined, false],
  ['nothing, before and now', undefined, undefined, false],
])('%s', (_title, before, after, isSame) => {
  expect(isSameDueStep(before, after, now)).toBe(isSame);
});
