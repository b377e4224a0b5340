import { describe, expect, it } from 'vitest';
import { type AuditEntry, auditEventTypes } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { retryAfterMs, securityEventOf } from '../../src/security-events/rules.js';

const entry = (eventType: AuditEntry['eventType'], detail?: AuditEntry['detail']): AuditEntry => ({
  eventId: 'e',
  eventType,
  target: '9f425a8d-7efc-4768-8f23-7647a74fdf13',
  actor: 'engine',
  occurredAt: 0,
  stage: 'active',
  daysInactive: 0,
  outcome: 'done',
  ...(detail && { detail }),
});

describe('securityEventOf', () => {
  it('makes events of revocation, deactivation and deletion, and of no other entry by itself', () => {
    const told = auditEventTypes.flatMap((type) => {
      const event = securityEventOf(entry(type));
      return event === undefined ? [] : [[type, event]];
    });
    expect(told).toEqual([
      ['tokens_revoked_stale', 'session-revoked'],
      ['account_deactivated', 'account-disabled'],
      ['account_deleted', 'account-purged'],
      ['account_anonymised', 'account-purged'],
    ]);
  });

  it.each([
    'returned',
    'account_reactivated',
    'reactivated_externally',
  ] as const)('makes an event of %s if a deactivation was undone', (type) => {
    expect(securityEventOf(entry(type, { undone: 'warn,revoke,deactivate', enabled: true }))).toBe(
      'account-enabled',
    );
    expect(securityEventOf(entry(type, { undone: 'deactivate' }))).toBe('account-enabled');
    expect(securityEventOf(entry(type, { undone: 'warn,revoke' }))).toBeUndefined();
    // An administrator had disabled it as well: it still is.
    expect(securityEventOf(entry(type, { undone: 'deactivate', enabled: false }))).toBeUndefined();
  });
});

describe('retryAfterMs', () => {
  it('backs off to six hours, and gives up after days', () => {
    const waits: number[] = [];
    for (let attempts = 1; ; attempts += 1) {
      const wait = retryAfterMs(attempts);
      if (wait === undefined) break;
      waits.push(wait);
    }
    expect(waits.slice(0, 4)).toEqual([60_000, 120_000, 240_000, 480_000]);
    expect(Math.max(...waits)).toBe(6 * 3_600_000);
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    expect(total).toBeGreaterThan(2 * dayMs);
    expect(total).toBeLessThan(4 * dayMs);
  });
});
