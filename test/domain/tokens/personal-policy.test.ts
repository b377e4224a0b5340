import { describe, expect, it } from 'vitest';
import { PolicyFileError, parsePolicyFile } from '../../../src/policies/yaml.js';
import { day } from './fixtures.js';

const ladder = `id: p
ladder:
  warn: { after: 30d }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`;
const read = (personal: string) =>
  parsePolicyFile(`${ladder}tokens: { personal: ${personal} }`, 'p.yaml').tokens?.personal;

function problemsOf(personal: string): string[] {
  try {
    read(personal);
  } catch (error) {
    if (error instanceof PolicyFileError)
      return error.problems.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
  return [];
}

describe('the section tokens.personal', () => {
  it('may be left out', () => {
    expect(parsePolicyFile(ladder, 'p.yaml').tokens).toBeUndefined();
    expect(parsePolicyFile(`${ladder}tokens: {}`, 'p.yaml').tokens).toEqual({});
  });

  it('has 365 days, five minutes and no scope by default', () => {
    expect(read('{}')).toEqual({
      inactive: 365 * day,
      scopes: [],
      types: {},
      roles: {},
      notices: [30 * day, 7 * day, day],
      refusedFrom: 'deactivated',
      writeEvery: 300_000,
      atMost: 100,
      prefix: 'dmp',
    });
  });

  it('reads never, ceilings, types, roles and scopes', () => {
    expect(
      read(
        '{ inactive: never, longestLifetime: 400d, scopes: ["repo:read"], types: { ci: { inactive: 90d, scopes: [] } }, roles: { admin: { longestLifetime: 30d } }, prefix: acme }',
      ),
    ).toMatchObject({
      inactive: null,
      longestLifetime: 400 * day,
      scopes: ['repo:read'],
      types: { ci: { inactive: 90 * day, scopes: [] } },
      roles: { admin: { longestLifetime: 30 * day } },
      prefix: 'acme',
    });
  });

  it.each([
    ['{ inactive: 365 }', 'tokens.personal.inactive: is neither "never" nor a duration'],
    ['{ inactive: 30s }', 'tokens.personal.inactive: 30s is shorter than a day'],
    ['{ longestLifetime: 1h }', 'tokens.personal.longestLifetime: 1h is shorter than a day'],
    ['{ types: { ci: { inactive: 2m } } }', 'tokens.personal.types.ci.inactive: 2m is shorter than a day'],
    ['{ types: { CI: {} } }', 'tokens.personal.types.CI: '],
    ['{ inactive: 2d, writeEvery: 1d }', 'tokens.personal.writeEvery: is longer than a quarter'],
    ['{ roles: { admin: { inactive: 400d } } }', 'tokens.personal.roles.admin.inactive: is longer than that'],
    [
      '{ longestLifetime: 9d, roles: { a: { longestLifetime: 10d } } }',
      'tokens.personal.roles.a.longestLifetime: ',
    ],
    ['{ roles: { admin: {} } }', 'tokens.personal.roles.admin: limits nothing'],
    ['{ prefix: Dmp_ }', 'tokens.personal.prefix: is not a prefix'],
    ['{ scopes: ["a b"] }', 'tokens.personal.scopes.0: is not a scope'],
    ['{ refusedFrom: warned }', 'tokens.personal.refusedFrom: write the first stage'],
    ['{ notices: [7d, 30d] }', 'tokens.personal.notices: must descend'],
    ['{ notices: [7d, 7d] }', 'tokens.personal.notices: must descend'],
    ['{ atMost: 0 }', 'tokens.personal.atMost: must be 1 at least'],
    // As many as a list of tokens holds.
    ['{ atMost: 501 }', 'tokens.personal.atMost: must be 500 at most'],
    ['{ expires: 3d }', 'tokens.personal'],
  ])('%s is refused by field and reason', (text, problem) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(problem), problems[0]).toBe(true);
  });

  it('allows a longer ceiling of a role where a type is without limit', () => {
    expect(
      problemsOf('{ types: { ci: { inactive: never } }, roles: { admin: { inactive: 400d } } }'),
    ).toEqual([]);
  });
});
