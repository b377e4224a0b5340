/** Durations of policy files. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeElapsed, formatDuration, parseDuration } from '../../src/domain/duration.js';
import { day, hour } from './fixtures.js';

describe('parseDuration', () => {
  it.each([
    ['30s', 30_000],
    ['15m', 15 * 60_000],
    ['12h', 12 * hour],
    ['30d', 30 * day],
    ['2w', 14 * day],
    [' 7d ', 7 * day],
    ['0d', 0],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    '',
    '30',
    'd',
    '1.5d',
    '-1d',
    '1mo',
    '1M',
    '1y',
    '30 d',
    '30days',
    '1d12h',
    '1e3d',
    '٣d',
    '9999999999d',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('reads back whatever formatDuration writes of whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});

it.each([
  [30 * day, '30d'],
  [36 * hour, '36h'],
  [90_000, '90s'],
  [1_500, '1500ms'],
  [0, '0ms'],
])('formatDuration writes %d as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

it.each([
  [-5, '0 seconds'],
  [30_400, '30 seconds'],
  [90 * 60_000, '1.5 hours'],
  [36 * hour, '1.5 days'],
  [10 * day - 1, '10.0 days'],
  [730.9 * day, '730 days'],
])('describeElapsed says %d as %s', (milliseconds, text) => {
  expect(describeElapsed(milliseconds)).toBe(text);
});
