/** Months by name, which of them are due by mail, and what a report's mail holds. */
import { describe, expect, it } from 'vitest';
import { monthAfter, monthAt, monthOf } from '../../src/audit/month.js';
import { dueMonths } from '../../src/audit/month-mail.js';
import { readConfig } from '../../src/config.js';

describe('a month', () => {
  it('begins and ends at midnight in UTC', () => {
    const { from, to } = monthOf('2028-02');
    expect([from, to].map((at) => new Date(at).toISOString())).toEqual([
      '2028-02-01T00:00:00.000Z',
      '2028-03-01T00:00:00.000Z',
    ]);
    expect([monthAt(from), monthAt(to - 1), monthAt(to)]).toEqual(['2028-02', '2028-02', '2028-03']);
  });

  it.each([
    ['2026-01', -1, '2025-12'],
    ['2026-12', 1, '2027-01'],
    ['2026-10', -11, '2025-11'],
  ])('%s and %i months: %s', (month, count, other) => {
    expect(monthAfter(month, count)).toBe(other);
  });

  it.each([
    '2026-13',
    '2026-00',
    '2026-1',
    '',
    '2026-10-01',
    '0069-01',
    '2026‑10',
  ])('"%s" is none', (text) => {
    expect(() => monthOf(text)).toThrow('--month: is no month. Write it as 2026-10');
  });
});

describe('due by mail', () => {
  const now = Date.UTC(2026, 10, 27);

  it.each<[string, string[], string[]]>([
    ['nothing was ever sent: the last month alone', [], ['2026-10']],
    ['the last month was sent: none', ['2026-09', '2026-10'], []],
    ['two were missed: both', ['2026-08'], ['2026-09', '2026-10']],
    ['one between was missed: that one', ['2026-07', '2026-08', '2026-10'], ['2026-09']],
    ['months before the first one are not', ['2026-10'], []],
  ])('%s', (_title, mailed, due) => {
    expect(dueMonths(mailed, now)).toEqual(due);
  });

  it('after two years of silence: the last twelve months', () => {
    const due = dueMonths(['2024-06'], now);
    expect(due).toHaveLength(12);
    expect([due[0], due.at(-1)]).toEqual(['2025-11', '2026-10']);
  });

  it('the present month never is, on its last day or its first', () => {
    expect(dueMonths(['2026-09'], Date.UTC(2026, 9, 31, 23, 59))).toEqual([]);
    expect(dueMonths(['2026-09'], Date.UTC(2026, 10, 1))).toEqual(['2026-10']);
  });
});

describe('DORMOUSE_REPORT_RECIPIENTS', () => {
  const read = (text: string) =>
    readConfig(['DORMOUSE_REPORT_RECIPIENTS'], { DORMOUSE_REPORT_RECIPIENTS: text })
      .DORMOUSE_REPORT_RECIPIENTS;

  it('takes addresses, each once; empty: nobody', () => {
    expect(read('a@acorn.example, b@acorn.example,a@acorn.example')).toEqual([
      'a@acorn.example',
      'b@acorn.example',
    ]);
    expect(read('')).toBeUndefined();
  });

  it.each([
    'a',
    'Anna <a@acorn.example>',
    'a@acorn.example,',
    'a@b;c@d',
    'a@b\r\nBcc: c@d',
    `${'x'.repeat(250)}@a.example`,
  ])('refuses "%s", and says what it takes', (text) => {
    expect(() => read(text)).toThrow(/DORMOUSE_REPORT_RECIPIENTS.*bare mail addresses/s);
  });

  it('refuses 21 addresses', () => {
    const many = Array.from({ length: 21 }, (_, index) => `a${index}@acorn.example`).join(',');
    expect(() => read(many)).toThrow('takes 20 addresses at most. Name a mailing list');
  });
});
