/** How a guard is taken out of the code below its mark. */
import { expect, test } from 'vitest';
import type { TakenOut } from '../../tools/mutations/guard.js';
import { marksIn } from '../../tools/mutations/marks.js';
import { takeOut } from '../../tools/mutations/take-out.js';

function without(text: string, takenOut: TakenOut, file = 'src/rule.ts'): string {
  const [mark] = marksIn(file, text);
  if (mark === undefined) throw new Error('the text has no mark');
  return takeOut(mark, text, takenOut);
}

const rule = `export function rule(a: number, b?: string): number | undefined {
  // guard: no negative numbers
  // A comment between the mark and its code.
  if (a < 0 && b === undefined) return undefined;
  return a;
}
`;

test.each<[string, TakenOut, string]>([
  ['a statement is left out', 'left out', '\n  ;\n  return a;'],
  ['a condition is false', { condition: false }, 'if (false) return undefined;'],
  ['a condition is true', { condition: true }, 'if (true) return undefined;'],
  ['a part is replaced', { part: 'a < 0 && ', becomes: '' }, 'if ( b === undefined) return undefined;'],
])('%s', (_title, takenOut, expected) => {
  expect(without(rule, takenOut)).toContain(expected);
});

test.each<[string, string, string]>([
  ['a return', 'function f() {\n// guard: x\nreturn g(1);\n}', 'return h;'],
  ['a declaration', '// guard: x\nconst a = g(1);', 'const a = h;'],
  ['an assignment', '// guard: x\na = g(1);', 'a = h;'],
  ['an arrow function', '// guard: x\nexport const f = (a: number) => g(a);', 'f = (a: number) => h;'],
  ['a property', 'const a = {\n// guard: x\nb: g(1),\n};', 'b: h,'],
])('the value of %s is replaced', (_title, text, expected) => {
  expect(without(text, { value: 'h' })).toContain(expected);
});

test('an element goes with its comma', () => {
  expect(without('const all = [\n  a,\n  // guard: x\n  b,\n  c,\n];', 'left out')).toBe(
    'const all = [\n  a,\n  // guard: x\n  \n  c,\n];',
  );
});

test('the condition of an expression is the one that decides it', () => {
  expect(without('// guard: x\nconst a = b > 1 ? c : d;', { condition: true })).toContain(
    'a = true ? c : d;',
  );
});

test('a formatter that breaks the code into lines changes nothing', () => {
  const short = 'function f() {\n// guard: x\nreturn g(first, { second: 1 });\n}';
  const long = 'function f() {\n// guard: x\nreturn g(\n  first,\n  {\n    second: 1,\n  },\n);\n}';
  const part = { part: 'g(first, { second: 1 })', becomes: 'h' };
  expect(without(short, part)).toContain('return h;');
  expect(without(long, part)).toContain('return h;');
});

test('a part is looked for in the marked code alone', () => {
  const text = 'const a = 1;\n// guard: x\nconst b = 1;\nconst c = 1;';
  expect(without(text, { part: '1', becomes: '2' })).toBe(
    'const a = 1;\n// guard: x\nconst b = 2;\nconst c = 1;',
  );
});

test('statements of SQL go to their semicolon', () => {
  const text = 'SELECT 1;\n-- guard: x\nDELETE FROM a\nWHERE b;\nSELECT 2;';
  expect(without(text, 'left out', 'src/a.sql')).toBe('SELECT 1;\n-- guard: x\n\nSELECT 2;');
  expect(without(text, { part: 'WHERE b', becomes: '' }, 'src/a.sql')).toContain(
    'DELETE FROM a\n;\nSELECT 2;',
  );
});

test.each<[string, TakenOut, string]>([
  ['a part that is not there', { part: 'a > 0', becomes: '' }, 'not at all'],
  ['a part that is there twice', { part: 'undefined', becomes: 'a' }, 'twice'],
  ['a part that stays what it is', { part: 'a < 0', becomes: 'a < 0' }, 'changes nothing'],
  ['a value of a statement without one', { value: '1' }, 'has no value'],
  ['what is left when it is no TypeScript', { part: 'a < 0', becomes: 'a <' }, 'Unexpected token'],
])('%s is refused', (_title, takenOut, message) => {
  expect(() => without(rule, takenOut)).toThrow(message);
});

test('a mark at the end of a file is refused', () => {
  expect(() => without('const a = 1;\n// guard: x\n', 'left out')).toThrow('begins below a mark');
});

test('a condition in SQL is refused', () => {
  expect(() => without('-- guard: x\nSELECT 1;', { condition: false }, 'src/a.sql')).toThrow('in SQL');
});

test('marks are read with their names; text that only mentions one is none', () => {
  const text = '// guard: a, b: c\nconst x = "// guard: d";\n// a guard: e\n';
  expect(marksIn('src/a.ts', text).map(({ name }) => name)).toEqual(['a, b: c']);
});
