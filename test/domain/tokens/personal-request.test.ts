import { describe, expect, it } from 'vitest';
import { acceptRequest, type TokenRequest } from '../../../src/domain/tokens/personal-request.js';
import { day, personal } from './fixtures.js';

const now = Date.UTC(2026, 0, 1);
const policy = personal({
  scopes: ['repo:read', 'repo:write'],
  longestLifetime: '90d',
  types: { ci: { scopes: ['deploy'], longestLifetime: '300d' } },
  roles: { admin: { longestLifetime: '7d' } },
});

function ask(request: Partial<TokenRequest>, roles: string[] = []) {
  return acceptRequest(policy, { name: 'laptop', ...request }, roles, now);
}

describe('a request for a personal access token', () => {
  it('without type, scopes and expiry gets the policy’s', () => {
    expect(ask({ name: '  laptop ' })).toEqual({
      accepted: { name: 'laptop', type: 'personal', scopes: [], expiresAt: now + 90 * day },
    });
  });

  it('without ceiling and expiry never expires', () => {
    expect(acceptRequest(personal(), { name: 'a' }, [], now)).toEqual({
      accepted: { name: 'a', type: 'personal', scopes: [] },
    });
  });

  it('is under the ceiling of its type and of the owner’s roles', () => {
    expect(ask({ type: 'ci' })).toMatchObject({ accepted: { expiresAt: now + 300 * day } });
    expect(ask({ type: 'ci' }, ['admin'])).toMatchObject({ accepted: { expiresAt: now + 7 * day } });
    expect(ask({ expiresAt: now + 7 * day }, ['admin'])).toMatchObject({ accepted: {} });
    expect(ask({ expiresAt: now + 7 * day + 1 }, ['admin'])).toMatchObject({
      problem: { field: 'expiresAt', message: expect.stringContaining('roles:admin: 7d') },
    });
  });

  it.each([
    [{ name: ' ' }, 'name', 'is empty'],
    [{ name: 'a'.repeat(101) }, 'name', 'longer than 100'],
    [{ name: 'a\0' }, 'name', 'control character at position 2'],
    [{ name: 'a\u202E' }, 'name', 'direction of writing'],
    [{ name: '\uD800' }, 'name', 'surrogate'],
    [{ type: 'cd' }, 'type', 'Choose one of: personal, ci'],
    [{ type: 'constructor' }, 'type', 'Choose one of'],
    [
      { scopes: ['admin'] },
      'scopes',
      '"admin" is not a scope that such a token may have. There are: repo:read',
    ],
    [{ scopes: ['\u0000'] }, 'scopes', 'one of them is not'],
    [{ type: 'ci', scopes: ['repo:read'] }, 'scopes', 'There are: deploy'],
    [{ scopes: ['repo:read', 'repo:read'] }, 'scopes', 'twice'],
    [{ scopes: Array.from({ length: 51 }, (_, nth) => `s${nth}`) }, 'scopes', 'more than 50'],
    [{ expiresAt: now }, 'expiresAt', 'in the past'],
    [{ expiresAt: Number.NaN }, 'expiresAt', 'is not a time'],
    [{ expiresAt: Date.UTC(2300, 0, 1) }, 'expiresAt', 'after the year 2199'],
    [{ expiresAt: now + 91 * day }, 'expiresAt', 'later than the policy allows (longestLifetime: 90d'],
  ])('%j is refused by field and reason', (request, field, message) => {
    expect(ask(request)).toEqual({ problem: { field, message: expect.stringContaining(message) } });
  });

  it('may ask for no scope where the policy names none', () => {
    expect(acceptRequest(personal(), { name: 'a', scopes: ['x'] }, [], now)).toMatchObject({
      problem: { message: expect.stringContaining('The policy names none') },
    });
  });
});
