/** What a publication is bound to, and what counts as a change of it. */
import { describe, expect, it } from 'vitest';
import { changesOf, previewHash } from '../../src/preview/answer.js';

describe('the answer of a population', () => {
  it.each([
    ['the same', 1_000, 1_000, 1, 0],
    ['one percent more', 1_000, 1_010, 1, 0],
    ['more than one percent more', 1_000, 1_011, 1, 1],
    ['more than one percent less', 1_000, 989, 1, 1],
    ['five where there were none', 0, 5, 1, 0],
    ['six where there were none', 0, 6, 1, 1],
    ['six more, and nothing tolerated', 1_000, 1_006, 0, 1],
    ['twice as many, and everything tolerated', 1_000, 2_000, 100, 0],
  ])('%s: %d → %d at %d %% is a change or not', (_title, before, after, percent, changes) => {
    expect(changesOf({ people: before }, { people: after }, percent)).toHaveLength(changes);
  });

  it('a number that only one of them has: counts from zero', () => {
    expect(changesOf({}, { 'delete within 90 days': 10 }, 1)).toEqual([
      { what: 'delete within 90 days', before: 0, after: 10 },
    ]);
  });

  it('another text, another version in force, another number: another hash', () => {
    const hashes = [
      previewHash('a', 'b', { people: 1 }),
      previewHash('c', 'b', { people: 1 }),
      previewHash('a', 'c', { people: 1 }),
      previewHash('a', 'b', { people: 2 }),
    ];
    expect(new Set(hashes).size).toBe(4);
  });
});
