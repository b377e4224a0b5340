/** Signs of life merge to a monotone maximum (docs/architecture.md, invariant 1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type LatestSigns,
  latestOf,
  mergeSign,
  mergeSigns,
  noActivity,
  signKinds,
} from '../../src/domain/sign-of-life.js';
import { epoch } from './fixtures.js';

const now = epoch;
const sign = fc.record({
  kind: fc.constantFrom(...signKinds),
  at: fc.integer({ min: now - 1_000, max: now + 1_000 }),
});
const signs = fc.array(sign, { maxLength: 12 });

const mergeAll = (list: readonly { kind: (typeof signKinds)[number]; at: number }[]): LatestSigns =>
  list.reduce((latest, one) => mergeSign(latest, one, now), noActivity);

describe('merging', () => {
  it('does not mind order, repetition or grouping', () => {
    fc.assert(
      fc.property(signs, signs, signs, (a, b, c) => {
        const [x, y, z] = [mergeAll(a), mergeAll(b), mergeAll(c)];
        expect(mergeAll([...b, ...a, ...b])).toEqual(mergeAll([...a, ...b]));
        expect(mergeSigns(x, x, now)).toEqual(x);
        expect(mergeSigns(x, y, now)).toEqual(mergeSigns(y, x, now));
        expect(mergeSigns(mergeSigns(x, y, now), z, now)).toEqual(mergeSigns(x, mergeSigns(y, z, now), now));
        expect(mergeSigns(x, y, now)).toEqual(mergeAll([...a, ...b]));
      }),
    );
  });

  it('never moves a kind back, and never past now', () => {
    fc.assert(
      fc.property(signs, sign, (before, next) => {
        const latest = mergeAll(before);
        const after = mergeSign(latest, next, now);
        for (const kind of signKinds) {
          expect(after[kind] ?? 0).toBeGreaterThanOrEqual(latest[kind] ?? 0);
          expect(after[kind] ?? 0).toBeLessThanOrEqual(now);
        }
      }),
    );
  });

  it('leaves the record itself alone where nothing is new', () => {
    const latest = { human: now };
    expect(mergeSign(latest, { kind: 'human', at: now - 1 }, now)).toBe(latest);
  });
});

it('only the kinds that count are read', () => {
  const latest = { human: 5, token: 7, machine: 9 };
  expect(latestOf(latest, ['human', 'token'])).toBe(7);
  expect(latestOf(latest, ['human'])).toBe(5);
  expect(latestOf({ machine: 9 }, ['human', 'token'])).toBeUndefined();
});
