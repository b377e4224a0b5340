/** Tables, and text of other systems at a terminal. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable, table } from '../../src/cli/output.js';

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
