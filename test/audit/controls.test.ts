import { describe, expect, it } from 'vitest';
import { claimsOf, controlIds, controlOf, eventTypesFor, isControlId } from '../../src/audit/controls.js';
import { type AuditEventType, auditEventTypes } from '../../src/domain/audit-entry.js';

describe('the mapping of events to controls', () => {
  it('gives a reason for each claim, and at most one claim per control', () => {
    for (const type of auditEventTypes) {
      const claims = claimsOf(type);
      for (const { why } of claims) expect(why.length, type).toBeGreaterThan(15);
      expect(new Set(claims.map(({ control }) => control)).size, type).toBe(claims.length);
    }
  });

  const evidenceFor = (type: AuditEventType) =>
    claimsOf(type)
      .filter(({ role }) => role === 'evidence')
      .map(({ control }) => control)
      .sort();

  it('marks only events that disable or remove an account, or end a session, as evidence', () => {
    const evidence = auditEventTypes.filter((type) => evidenceFor(type).length > 0);
    const ofAccounts: AuditEventType[] = ['account_deactivated', 'account_deleted', 'account_anonymised'];
    expect(evidence).toEqual([...ofAccounts, 'session_expired_idle', 'session_expired_absolute']);
    for (const type of ofAccounts) {
      expect(evidenceFor(type)).toEqual(['asvs-7.4.2', 'cis-5.3', 'nist-ac-2-3', 'pci-8.2.6']);
    }
    expect(evidenceFor('session_expired_idle')).toEqual(['asvs-7.3.1', 'pci-8.2.8']);
    expect(evidenceFor('session_expired_absolute')).toEqual(['asvs-7.3.2']);
  });

  it('selects the types of a control, and knows the thresholds that standards name', () => {
    expect(eventTypesFor('asvs-7.4.2').sort()).toEqual([
      'account_anonymised',
      'account_deactivated',
      'account_deleted',
      'tokens_revoked_stale',
    ]);
    expect(eventTypesFor('pci-8.2.6')).not.toContain('winback_sent');
    expect(controlIds.map((id) => controlOf(id).thresholdDays)).toEqual([
      ...[undefined, 90, undefined, 45],
      ...[undefined, undefined, undefined],
    ]);
  });

  it('returns nothing for unknown types and controls', () => {
    expect(claimsOf('a_newer_type')).toEqual([]);
    expect(claimsOf('toString')).toEqual([]);
    expect(isControlId('constructor')).toBe(false);
  });
});
