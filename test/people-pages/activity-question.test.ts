import { expect, it } from 'vitest';
import { filterOf, queryFrom } from '../../src/people-pages/activity-question.js';

const empty = { category: '', from: '', to: '', before: undefined } as const;
const day = 86_400_000;

it('an empty form asks for everything', () => {
  expect(filterOf(empty)).toEqual({});
});

it('both days are included', () => {
  const at = Date.UTC(2026, 2, 29);
  expect(filterOf({ ...empty, from: '2026-03-29', to: ' 2026-03-29 ' })).toEqual({
    since: at,
    until: at + day,
  });
});

it.each([
  '2026-02-29',
  '2026-13-01',
  '2026-3-1',
  'yesterday',
  '2026-03-01T00:00:00Z',
  '01.03.2026',
  '+02026-03-01',
  '２０２６-03-01',
])('%j is no day, at either end', (text) => {
  expect(filterOf({ ...empty, from: text })).toBeUndefined();
  expect(filterOf({ ...empty, to: text })).toBeUndefined();
});

it('the way to older entries keeps the filter, and hides nothing in it', () => {
  expect(queryFrom({ ...empty, category: 'SECURITY', from: '2026-03-01&to=', before: '9' }, '7')).toBe(
    '?category=SECURITY&from=2026-03-01%26to%3D&before=7',
  );
  expect(queryFrom({ ...empty, before: '9' }, undefined)).toBe('?');
});
