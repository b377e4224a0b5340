/** Tables, and text of other systems at a terminal. */
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { printable, sayJson, table } from '../../src/cli/output.js';

it('a table has its titles first, and columns as wide as their widest cell', () => {
  const columns = [
    { title: 'name', of: ({ name }: { name: string; by?: string }) => name },
    { title: 'by', of: ({ by }: { name: string; by?: string }) => by },
  ];
  expect(table(columns, [{ name: 'a', by: 'olga' }, { name: 'longer' }])).toEqual([
    'NAME    BY',
    'a       olga',
    'longer  -',
  ]);
  expect(table(columns, [])).toEqual([]);
});

it.each([
  ['a line', 'a\nb'],
  ['an escape sequence', '\u001b[2Jgone'],
  ['a C1 control', '\u009b2J'],
  ['a turn of the direction', 'user\u202egnp.exe'],
])('%s in an answer does not reach the terminal', (_what, text) => {
  expect(printable(text)).not.toBe(text);
  expect(printable(text)).toContain('\ufffd');
});

it('keeps the length of a text, and changes nothing that can be printed', () => {
  fc.assert(fc.property(fc.string(), (text) => printable(text).length === text.length));
  expect(printable('Zoë, 張偉 × 3')).toBe('Zoë, 張偉 × 3');
});

it('JSON of an answer moves no cursor, and is the same value', () => {
  const value = { text: '\u009b2J \u202egnp.exe \u2066 Zoë, 張偉', '\u0085': ['\u001b[2J', '\n'] };
  const log = vi.spyOn(console, 'log').mockReturnValue();
  for (const how of ['whole', 'line'] as const) {
    sayJson(value, how);
    const printed = String(log.mock.lastCall?.[0]);
    expect(JSON.parse(printed)).toEqual(value);
    expect(printed.split('\n').map(printable).join('\n')).toBe(printed);
    expect(printed).toContain('Zoë, 張偉');
  }
  log.mockRestore();
});
