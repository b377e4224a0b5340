import type { AccessClaims } from '../../../src/domain/tokens/access-claims.js';
import { type AccessTokensPolicy, accessTokensSection } from '../../../src/domain/tokens/access-policy.js';

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const at = Date.parse('2026-03-02T09:00:00Z');

/** The seed's own figures unless `fields` say otherwise. */
export function accessPolicy(fields: Record<string, unknown> = {}): AccessTokensPolicy {
  return accessTokensSection.parse(fields);
}

/** Claims of a token that was issued at {@link at} for half an hour, unless `more` says otherwise. */
export function claimsOf(more: Partial<AccessClaims> = {}): AccessClaims {
  return {
    subject: '6c1b2c5e-8f0f-4d4e-9d8a-0c7d3f1a2b3c',
    issuer: 'https://issuer.example/',
    audiences: ['https://api.example'],
    expiresAt: at + 30 * minute,
    issuedAt: at,
    roles: [],
    ...more,
  };
}
