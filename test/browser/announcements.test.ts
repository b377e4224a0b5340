import { expect, it } from 'vitest';
import { isSpoken } from '../../src/browser/announcements.js';

function spokenFrom(seconds: number): number[] {
  const spoken: number[] = [];
  let before: number | undefined;
  for (let left = seconds; left > 0; left -= 1) {
    if (isSpoken(left, before)) spoken.push(left);
    before = left;
  }
  return spoken;
}

it('two minutes are spoken five times', () => {
  expect(spokenFrom(120)).toEqual([120, 60, 40, 20, 10]);
});

it('whole minutes are spoken above one', () => {
  expect(spokenFrom(300)).toEqual([300, 240, 180, 120, 60, 40, 20, 10]);
});

it('a warning that opens late is spoken at once', () => {
  expect(spokenFrom(7)).toEqual([7]);
});

it('a time that grows again, after a renewal elsewhere, is not spoken', () => {
  expect(isSpoken(50, 20)).toBe(false);
});
