import { describe, expect, it } from 'vitest';
import { claimsOf, controlIds, controlOf, eventTypesFor, isControlId } from '../../src/audit/controls.js';
import { auditEventTypes } from '../../src/domain/audit-entry.js';

describe('the mapping of events to controls', () => {
  it('gives a reason for each claim, and at most one claim per control', () => {
    for (const type of auditEventTypes) {
      const claims = claimsOf(type);
      for (const { why } of claims) expect(why.length, type).toBeGreaterThan(15);
      expect(new Set(claims.map(({ control }) => control)).size, type).toBe(claims.length);
    }
  });

  it('marks only events that disable or remove an account as evidence', () => {
    const evidence = auditEventTypes.filter((type) => claimsOf(type).some(({ role }) => role === 'evidence'));
    expect(evidence).toEqual(['account_deactivated', 'account_deleted', 'account_anonymised']);
    for (const type of evidence)
      expect(
        claimsOf(type)
          .map(({ control }) => control)
          .sort(),
      ).toEqual([...controlIds].sort());
  });

  it('selects the types of a control, and knows the thresholds that standards name', () => {
    expect(eventTypesFor('asvs-7.4.2').sort()).toEqual([
      'account_anonymised',
      'account_deactivated',
      'account_deleted',
      'tokens_revoked_stale',
    ]);
    expect(eventTypesFor('pci-8.2.6')).not.toContain('winback_sent');
    expect(controlIds.map((id) => controlOf(id).thresholdDays)).toEqual([undefined, 90, undefined, 45]);
  });

  it('returns nothing for unknown types and controls', () => {
    expect(claimsOf('a_newer_type')).toEqual([]);
    expect(claimsOf('toString')).toEqual([]);
    expect(isControlId('constructor')).toBe(false);
  });
});
