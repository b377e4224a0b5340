/** Who may make which credential at the gateway: nobody gets more than they have, and nobody becomes two people. */
import { describe, expect, it } from 'vitest';
import { grantProblem } from '../../src/domain/principals/granting.js';
import { roleScopes } from '../../src/domain/principals/roles.js';

const admin = { actor: 'oidc:acme:1', owner: 'oidc:acme:1', scopes: roleScopes.admin };
const manager = { actor: 'credential:m', owner: 'olga', scopes: ['credentials:manage', 'standing:read'] };

describe('somebody who manages credentials', () => {
  it.each([
    [
      'gives an app its scopes',
      manager,
      { owner: 'team/shop', scopes: ['signs:write:shop', 'tokens:serve'] },
      undefined,
    ],
    ['gives what they hold', manager, { owner: 'team/shop', scopes: ['standing:read'] }, undefined],
    [
      'gives no operator’s scope that they lack',
      manager,
      { owner: 'olga', scopes: ['holds:place'] },
      /^scopes: .*holds:place/,
    ],
    [
      'gives themselves no scope that they lack',
      manager,
      { owner: 'olga', scopes: ['breaker:approve'] },
      /^scopes: /,
    ],
    [
      'makes nobody else a second operator',
      admin,
      { owner: 'oleg', scopes: ['breaker:approve'] },
      /^owner: .*oidc:acme:1/,
    ],
    ['makes nobody else a proposer', admin, { owner: 'oleg', scopes: ['breaker:propose'] }, /^owner: /],
    [
      'makes themselves another credential',
      admin,
      { owner: 'OIDC:acme:1', scopes: ['breaker:approve'] },
      undefined,
    ],
    [
      'gives others what does not count people',
      admin,
      { owner: 'oleg', scopes: ['policy:publish'] },
      undefined,
    ],
  ])('%s', (_what, giver, credential, problem) => {
    if (problem === undefined) expect(grantProblem(giver, credential)).toBeUndefined();
    else expect(grantProblem(giver, credential)).toMatch(problem);
  });
});
