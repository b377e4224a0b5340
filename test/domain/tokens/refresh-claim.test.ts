import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeClaim } from '../../../src/domain/tokens/refresh-claim.js';
import { at } from './refresh-fixtures.js';

const grace = 10_000;

describe('a token that is presented', () => {
  it.each<[string, number, number, number[], string]>([
    ['the valid one', 3, 3, [at], 'claim'],
    ['the one before, at once', 2, 3, [at], 'repeat'],
    ['the one before, a millisecond short of the grace', 2, 3, [at - 9_999], 'repeat'],
    ['the one before, at the end of the grace', 2, 3, [at - 10_000], 'reuse'],
    ['two before, within the grace', 1, 3, [at - 1_000, at - 2_000], 'repeat'],
    ['two before, past the grace', 1, 3, [at - 1_000, at - 11_000], 'reuse'],
    ['one whose exchange is not remembered', 0, 3, [at - 1_000, at - 2_000], 'reuse'],
    ['exchanged by a clock that is a second ahead', 2, 3, [at + 1_000], 'repeat'],
    ['exchanged by a clock that was set back by more since', 2, 3, [at + 1_001], 'unclear'],
    [
      'exchanged long ago, by a clock that was set back to then',
      1,
      3,
      [at + 7_200_000, at - 1_000],
      'unclear',
    ],
    ['the valid one, by a clock that was set back', 3, 3, [at + 7_200_000], 'claim'],
    ['one that is not remembered, by a clock that was set back', 0, 3, [at + 60_000, at], 'reuse'],
  ])('%s', (_what, generation, currentGeneration, claims, verdict) => {
    expect(judgeClaim({ generation, currentGeneration, claims }, grace, at)).toBe(verdict);
  });

  it.each([
    at,
    at - 1,
    at + 1_000,
    at + 60_000,
  ])('a second use is always reuse with a grace of 0', (claimedAt) => {
    expect(judgeClaim({ generation: 0, currentGeneration: 1, claims: [claimedAt] }, 0, at)).toBe('reuse');
  });

  it('is a claim at one generation only', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(20),
        fc.array(fc.integer(), { maxLength: 8 }),
        (generation, more, claims) => {
          const verdict = judgeClaim(
            { generation, currentGeneration: generation + more, claims: claims.map((ms) => at + ms) },
            grace,
            at,
          );
          expect(verdict === 'claim').toBe(more === 0);
        },
      ),
    );
  });
});
