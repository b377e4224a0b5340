import { expect, test } from 'vitest';
import { parseTokenSourceFile } from '../../src/tokens/sourced/source-file.js';

const source = {
  name: 'shop',
  connectionUrlVariable: 'SHOP_URL',
  select: 'SELECT id FROM pat WHERE used < $1',
  revoke: 'UPDATE pat SET gone = true WHERE id = ANY($1)',
};
const read = (more: object = {}) =>
  parseTokenSourceFile(JSON.stringify({ sources: [{ ...source, ...more }] }), 'sources.yaml');

test('a source needs a name, a connection and two statements', () => {
  expect(read()).toEqual([{ ...source, type: 'personal', every: 3_600_000, statementTimeout: 20_000 }]);
});

test.each([
  ['a URL in place of its variable', { connectionUrlVariable: 'postgres://u:p@h/d' }, /never the URL itself/],
  ['a SELECT that is an UPDATE', { select: 'UPDATE pat SET x = $1' }, /select: must be one SELECT/],
  ['two statements', { select: 'SELECT $1; DROP TABLE pat' }, /without semicolon/],
  ['a SELECT without its cutoff', { select: 'SELECT id FROM pat' }, /select: must use its parameter \$1/],
  [
    'a second parameter',
    { revoke: 'UPDATE pat SET x = $2 WHERE id = ANY($1)' },
    /no other parameter than \$1/,
  ],
  ['a tenth parameter in place of the first', { select: 'SELECT $10' }, /must use its parameter \$1/],
  ['a revocation of all', { revoke: 'DELETE FROM pat' }, /revoke: must use its parameter \$1/],
  ['a sweep every second', { every: '1s' }, /takes a duration from 1m to 7d/],
  ['a field that is unknown', { where: 'x' }, /where/],
])('%s is refused with its place', (_what, more, message) => {
  expect(() => read(more)).toThrow(message);
});

test('two sources with one name are refused', () => {
  const text = JSON.stringify({ sources: [source, source] });
  expect(() => parseTokenSourceFile(text, 'sources.yaml')).toThrow(/is taken by another source/);
});
