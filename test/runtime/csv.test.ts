import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/process/csv.js';

describe('csvLine', () => {
  it.each([
    [['a', 'b'], 'a,b\r\n'],
    [['a,b', 'c'], '"a,b",c\r\n'],
    [['say "hi"'], '"say ""hi"""\r\n'],
    [['two\nlines', 'two\r\nlines'], '"two\nlines","two\r\nlines"\r\n'],
    [[null, '', 0, -1.5], ',,0,-1.5\r\n'],
  ])('writes %j by RFC 4180', (cells, line) => {
    expect(csvLine(cells)).toBe(line);
  });

  it.each([
    '=HYPERLINK("http://evil")',
    '+1',
    '-1+1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    ' =1',
    '\u00A0=1',
    '\uFEFF=1',
    '＝1',
    '＋1',
    '－1',
    '＠A',
  ])('takes the formula from %j', (text) => {
    expect(csvLine([text]).replace(/^"/, '')).toMatch(/^'/);
  });

  it('leaves a text unchanged if such a sign is not its first', () => {
    expect(csvLine(['a=1', 'x@y', '2026-01-01', '{"a":"=1"}'])).toBe(
      'a=1,x@y,2026-01-01,"{""a"":""=1""}"\r\n',
    );
  });
});
