import { describe, expect, it } from 'vitest';
import { beginOf, endOf } from '../../src/cli/times.js';

describe('a day on the command line', () => {
  it('is a UTC day, and includes its end where it ends a range', () => {
    expect(beginOf('--from', '2026-01-31')).toBe(Date.parse('2026-01-31T00:00:00Z'));
    expect(endOf('--to', '2026-01-31')).toBe(Date.parse('2026-02-01T00:00:00Z'));
  });

  it('may be the leap day of a leap year', () => {
    expect(endOf('--to', '2028-02-29')).toBe(Date.parse('2028-03-01T00:00:00Z'));
  });

  it('may be a time with its zone, which is taken as it is', () => {
    expect(endOf('--to', '2026-01-31T08:00:00+02:00')).toBe(Date.parse('2026-01-31T06:00:00Z'));
    expect(beginOf('--from', '2026-01-31T08:00Z')).toBe(Date.parse('2026-01-31T08:00:00Z'));
  });

  it.each([
    '2026-02-30',
    '2026-02-29',
    '2026-04-31T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-01-31T25:00:00Z',
    '2026-01-31T08:00:00',
    '31.1.2026',
    '2026-1-31',
    'yesterday',
    '',
  ])('%j is refused, with the flag and the way out', (text) => {
    expect(() => beginOf('--from', text)).toThrow(/^--from: .*2026-01-31 \(UTC\)/);
  });
});
