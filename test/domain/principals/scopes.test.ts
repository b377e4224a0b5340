/** Scopes: a closed list, exact, without wildcards. */
import '../../support/fixed-seed.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actorProblem, claimsPrincipal } from '../../../src/domain/names.js';
import { isSameOperator, ownerProblem } from '../../../src/domain/principals/principal.js';
import { roleScopes, roles, scopesOf } from '../../../src/domain/principals/roles.js';
import {
  covers,
  isScope,
  isServedAt,
  mayWriteSigns,
  routeScopes,
  scopeRules,
  scopesProblem,
} from '../../../src/domain/principals/scopes.js';

const source = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,20}$/);

describe('a scope', () => {
  it('covers itself and no other, for each pair of the list', () => {
    for (const held of routeScopes)
      for (const wanted of routeScopes)
        expect(covers([held], wanted), `${held}, ${wanted}`).toBe(held === wanted);
  });

  it('of one source covers that source only, whatever another one begins or ends with', () => {
    fc.assert(
      fc.property(source, source, (own, other) => {
        expect(mayWriteSigns([`signs:write:${own}`], other)).toBe(own === other);
        expect(mayWriteSigns([`signs:write:${own}`], `${own}${other}`)).toBe(false);
        expect(mayWriteSigns([`signs:write:${own}${other}`], own)).toBe(false);
        expect(covers([`signs:write:${own}`], 'signs:write')).toBe(true);
        for (const wanted of routeScopes.filter((scope) => scope !== 'signs:write'))
          expect(covers([`signs:write:${own}`], wanted)).toBe(false);
      }),
    );
    expect(mayWriteSigns(['signs:write:a'], 'ab')).toBe(false);
    expect(mayWriteSigns(['signs:write'], 'ab')).toBe(true);
  });

  it.each([
    ['a wildcard', 'signs:write:*'],
    ['a wildcard of everything', '*'],
    ['a wildcard of a group', 'signs:*'],
    ['no source', 'signs:write:'],
    ['capitals', 'Standing:Read'],
    ['a blank behind it', 'standing:read '],
    ['a newline behind it', 'standing:read\n'],
    ['a newline behind its source', 'signs:write:shop\n'],
    ['a null character', 'signs:write:sh\0op'],
    ['a letter of another alphabet', 'signs:write:sh\u043ep'],
    ['two at once', 'standing:read standing:read'],
    ['a source where none belongs', 'standing:read:shop'],
    ['a name of every object', 'constructor'],
    ['nothing', ''],
  ])('with %s is refused', (_what, text) => {
    expect(isScope(text)).toBe(false);
    expect(scopesProblem([text])).toMatch(/no scope/);
    expect(covers([text], 'standing:read')).toBe(false);
    expect(covers([text], 'signs:write')).toBe(false);
  });

  it('that is any other text is refused, and its text is not repeated', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 12 }), (text) => {
        fc.pre(!isScope(text));
        expect(scopesProblem([text])).not.toContain(text);
      }),
    );
  });

  it('is needed once at least, and 50 times at most', () => {
    expect(scopesProblem([])).toMatch(/at least one/);
    expect(scopesProblem(Array.from({ length: 51 }, (_, nth) => `signs:write:s${nth}`))).toMatch(
      /50 at most/,
    );
    expect(scopesProblem(['standing:read', 'signs:write:shop'])).toBeUndefined();
  });

  it('that decides is served to operators only', () => {
    const decide = [
      'holds:place',
      'exemptions:decide',
      'identities:operate',
      'breaker:approve',
      'policy:publish',
    ] as const;
    for (const scope of decide) expect(isServedAt(scope, 'public')).toBe(false);
    for (const scope of routeScopes) {
      expect(isServedAt(scope, 'both')).toBe(true);
      expect(isServedAt(scope, 'public') || isServedAt(scope, 'operators')).toBe(true);
      expect(scopeRules[scope].does.length).toBeGreaterThan(10);
    }
  });
});

describe('roles', () => {
  it('each hold what the role before holds, and only scopes of operators', () => {
    for (const [nth, role] of roles.entries()) {
      for (const scope of roleScopes[role]) expect(isServedAt(scope, 'operators')).toBe(true);
      const before = roles[nth - 1];
      if (before !== undefined)
        expect(roleScopes[role]).toEqual(expect.arrayContaining([...roleScopes[before]]));
    }
    expect(scopesOf(['viewer'])).not.toContain('holds:place');
    expect(scopesOf(['operator'])).not.toContain('breaker:approve');
    expect(scopesOf(['approver'])).not.toContain('policy:publish');
    expect(scopesOf([])).toEqual([]);
    expect(scopesOf(['viewer', 'viewer'])).toHaveLength(roleScopes.viewer.length);
  });
});

describe('names', () => {
  it.each([
    'config:service',
    'credential:olga',
    'oidc:acme:1',
    'Credential:olga',
    'CONFIG:',
  ])('"%s" claims a principal', (actor) => expect(claimsPrincipal(actor)).toBe(true));

  it('of a principal fit the audit log, and own a credential only where a person signs in', () => {
    expect(claimsPrincipal('olga')).toBe(false);
    for (const actor of ['config:service', 'credential:olga', 'oidc:acme:1'])
      expect(actorProblem(actor)).toBeUndefined();
    expect(ownerProblem('oidc:acme:1')).toBeUndefined();
    expect(ownerProblem('team/billing')).toBeUndefined();
    for (const owner of ['credential:olga', 'config:service', 'engine', 'a@b.example', 'oidc:a b', ''])
      expect(ownerProblem(owner), owner).toBeTypeOf('string');
  });

  it('of one owner are one operator, whatever their case', () => {
    expect(isSameOperator({ owner: 'Olga' }, { owner: 'olga' })).toBe(true);
    expect(isSameOperator({ owner: 'olga' }, { owner: 'oleg' })).toBe(false);
  });
});
