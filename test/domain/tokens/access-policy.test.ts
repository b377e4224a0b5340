import { describe, expect, it } from 'vitest';
import { shortestTokenIdle } from '../../../src/domain/tokens/access-checks.js';
import { PolicyFileError, parsePolicyFile } from '../../../src/policies/yaml.js';
import { accessPolicy, hour, minute, second } from './access-fixtures.js';

const ladder = `id: p
ladder:
  warn: { after: 30d }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`;
const read = (access: string, more = '') =>
  parsePolicyFile(`${ladder}${more}tokens: { access: ${access} }`, 'p.yaml').tokens?.access;

function problemsOf(access: string, more = ''): string[] {
  try {
    read(access, more);
  } catch (error) {
    if (error instanceof PolicyFileError)
      return error.problems.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
  return [];
}

describe('the section tokens.access', () => {
  it('may be left out', () => {
    expect(parsePolicyFile(`${ladder}tokens: {}`, 'p.yaml').tokens?.access).toBeUndefined();
  });

  it('has the figures of the seed where nothing is written', () => {
    expect(read('{}')).toEqual({
      idle: 20 * minute,
      lifetime: 60 * minute,
      sliding: false,
      clients: [],
      routes: {},
      roles: {},
      excluded: [],
      warnBefore: 2 * minute,
      leeway: 30 * second,
      writeEvery: minute,
      whenUnavailable: 'refuse',
    });
  });

  it('has a lifetime of a quarter of an hour in the sliding mode, unless one is written', () => {
    expect(read('{ sliding: true, idle: 15m }')).toMatchObject({ lifetime: 15 * minute });
    expect(read('{ sliding: true, lifetime: 30m }')).toMatchObject({ lifetime: 30 * minute });
  });

  it('takes no leeway', () => {
    expect(read('{ leeway: none }')).toMatchObject({ leeway: 0 });
  });

  it.each([
    ['a lifetime of a day', '{ lifetime: 1440m }'],
    ['an idle limit as long as the lifetime', '{ idle: 60m }'],
    ['limits of routes and roles as long as that of all', '{ routes: { /a: 20m }, roles: { admin: 20m } }'],
    ['an idle limit of a minute', '{ idle: 1m, writeEvery: 12s, warnBefore: 30s }'],
    ['a write each fifth of the shortest limit', '{ writeEvery: 4m }'],
    ['a warning at half of the shortest limit', '{ warnBefore: 10m }'],
    ['a leeway of five minutes', '{ leeway: 5m }'],
  ])('takes %s', (_what, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ['{ lifetime: 1441m }', 'tokens.access.lifetime: is longer than 1d. Shorten it'],
    [
      '{ idle: 61m }',
      'tokens.access.idle: is longer than the longest life of a token (1h) and would never apply. Shorten it',
    ],
    [
      '{ sliding: true }',
      'tokens.access.idle: is longer than the longest life of a token (15m) and would never apply. Shorten it',
    ],
    [
      '{ routes: { /a: 21m } }',
      'tokens.access.routes./a: is longer than the idle limit of all (20m) and would never apply: the strictest limit counts. Shorten it, or lengthen "idle"',
    ],
    [
      '{ roles: { admin: 21m } }',
      'tokens.access.roles.admin: is longer than the idle limit of all (20m) and would never apply: the strictest limit counts. Shorten it, or lengthen "idle"',
    ],
    [
      '{ idle: 59s, writeEvery: 10s, warnBefore: 20s }',
      'tokens.access.idle: holds a limit of 59s, below a minute. Write at least 1m, or set allowShortDurations: true',
    ],
    [
      '{ routes: { /a: 59s }, writeEvery: 10s, warnBefore: 20s }',
      'tokens.access.idle: holds a limit of 59s, below a minute. Write at least 1m, or set allowShortDurations: true',
    ],
    [
      '{ writeEvery: 241s }',
      'tokens.access.writeEvery: is longer than a fifth of the shortest idle limit (20m): a use could be written after the token ended. Write 4m at most',
    ],
    [
      '{ warnBefore: 601s }',
      'tokens.access.warnBefore: is longer than half of the shortest idle limit (20m): each answer would warn. Shorten it',
    ],
    [
      '{ leeway: 301s }',
      'tokens.access.leeway: is longer than 5m. Shorten it, and set the clocks of issuer and app',
    ],
  ])('refuses %s and names the field, the problem and the way out', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
  });

  it('names a time for "writeEvery" that a policy can have', () => {
    const [problem] = problemsOf('{ idle: 61s, warnBefore: 30s }');
    const atMost = /Write (\S+) at most/.exec(problem ?? '')?.[1];
    expect(problemsOf(`{ idle: 61s, warnBefore: 30s, writeEvery: ${atMost} }`)).toEqual([]);
  });

  it('asks for a longer limit where no time for "writeEvery" would do', () => {
    const [problem] = problemsOf(
      '{ idle: 4s, warnBefore: 2s, writeEvery: 1s }',
      'allowShortDurations: true\n',
    );
    expect(problem).toContain('Lengthen the limit to 5s at least');
    expect(problemsOf('{ idle: 5s, warnBefore: 2s, writeEvery: 1s }', 'allowShortDurations: true\n')).toEqual(
      [],
    );
  });

  it.each([
    ['{ idle: 20 }', 'tokens.access.idle', 'Write a whole number and a unit'],
    ['{ idle: 0m }', 'tokens.access.idle', 'Write a whole number and a unit'],
    ['{ lifetime: never }', 'tokens.access.lifetime', 'Write a whole number and a unit'],
    ['{ routes: { billing: 5m } }', 'tokens.access.routes.billing', 'path from the root'],
    ['{ routes: { "/a*": 5m } }', 'tokens.access.routes./a*', 'path from the root'],
    ['{ excluded: [poll] }', 'tokens.access.excluded.0', 'path from the root'],
    ['{ leeway: 0 }', 'tokens.access.leeway', 'neither "none" nor a duration'],
    ['{ whenUnavailable: open }', 'tokens.access.whenUnavailable', '"refuse"'],
    ['{ slidng: true }', 'tokens.access.slidng', 'not a field'],
  ])('refuses %s and names the field and the way out', (text, field, way) => {
    expect(problemsOf(text)).toEqual(expect.arrayContaining([expect.stringContaining(`${field}: `)]));
    expect(problemsOf(text).join('\n')).toContain(way);
  });

  it('allows short limits where the policy does', () => {
    const text = '{ idle: 10s, writeEvery: 2s, warnBefore: 5s }';
    expect(problemsOf(text)).not.toEqual([]);
    expect(read(text, 'allowShortDurations: true\n')).toMatchObject({ idle: 10 * second });
  });
});

it('the shortest idle limit is that of all, of a route, or of a role', () => {
  expect(shortestTokenIdle(accessPolicy())).toBe(20 * minute);
  expect(shortestTokenIdle(accessPolicy({ routes: { '/a': '5m' }, roles: { admin: '10m' } }))).toBe(
    5 * minute,
  );
  expect(shortestTokenIdle(accessPolicy({ routes: { '/a': '5m' }, roles: { admin: '2m' } }))).toBe(
    2 * minute,
  );
  expect(shortestTokenIdle(accessPolicy({ idle: '1h', lifetime: '2h' }))).toBe(hour);
});
