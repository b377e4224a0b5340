/** Values that admins write by hand into `metadata_admin`: read tolerantly, without guessing. */
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/domain/lifecycle/decide.js';
import { initialState } from '../../src/domain/lifecycle/state.js';
import { withAssessment } from '../../src/domain/lifecycle/transitions.js';
import { planFor } from '../../src/domain/plan.js';
import { subjectOf } from '../../src/looks/plan-in-force.js';
import type { KratosIdentity } from '../../src/ory/kratos-identity.js';
import { anna, day, smallPolicy } from './fixtures.js';

const policy = smallPolicy(
  'warn: {after: 30d}',
  'roles: { service: never, patient: { warn: { after: 90d } } }\naccountTypes: { service: never }\n',
);
const reference = { id: 'small', version: 1, hash: 'x' };
const identityWith = (metadata_admin: unknown, traits: unknown = {}) =>
  ({ schema_id: 'person', metadata_admin, traits }) as unknown as KratosIdentity;
const planWith = (metadata: unknown, traits?: unknown) =>
  planFor(policy, reference, subjectOf(anna, identityWith(metadata, traits), undefined));
const warnAfterDays = (metadata: unknown, traits?: unknown) =>
  (planWith(metadata, traits).rungs[0]?.afterMs ?? 0) / day;

describe('one meaning', () => {
  test.each([
    [{ account_type: 'Service' }, 'account-type'],
    [{ account_type: 'service ' }, 'account-type'],
    [{ account_type: ['service'] }, 'account-type'],
    [{ role: ['service'] }, 'role'],
    [{ role: ' SERVICE\n' }, 'role'],
    [{ skip_stale_revocation: true }, 'opt-out'],
    [{ skip_stale_revocation: 'true' }, 'opt-out'],
    [{ skip_stale_revocation: ' TRUE ' }, 'opt-out'],
    [{ skip_stale_revocation: 'false' }, undefined],
    [{ skip_stale_revocation: null, account_type: '', role: [] }, undefined],
    [{ account_type: 'contractor', role: 'clerk' }, undefined],
    [undefined, undefined],
  ])('%j exempts by %s', (metadata, exempt) => {
    expect(planWith(metadata).exempt).toBe(exempt);
  });
  test('a role in another case has its ladder', () => {
    expect(warnAfterDays({ role: 'Patient' })).toBe(90);
  });
});

describe('a value without a known meaning', () => {
  test.each([
    [{ account_type: { kind: 'service' } }, ['account_type']],
    [{ account_type: 7 }, ['account_type']],
    [{ role: ['service', 'clerk'] }, ['role']],
    [{ role: true, skip_stale_revocation: 'yes' }, ['role', 'skip_stale_revocation']],
    [{ skip_stale_revocation: 1 }, ['skip_stale_revocation']],
    [{ skip_stale_revocation: ['true'] }, ['skip_stale_revocation']],
  ])('%j is never harsher than if it exempted, and is named', (metadata, unclear) => {
    expect(planWith(metadata)).toMatchObject({ exempt: 'not-understood', unclear });
  });

  test('an unclear opt-out exempts nobody if the policy does not honour opt-outs', () => {
    const strict = smallPolicy('warn: {after: 30d}', 'honourOptOut: false\n');
    const subject = subjectOf(anna, identityWith({ skip_stale_revocation: 'yes' }), undefined);
    expect(planFor(strict, reference, subject).exempt).toBeUndefined();
  });

  test('fields that the person can write exempt nobody', () => {
    expect(planWith({}, { role: { a: 1 } }).exempt).toBeUndefined();
  });

  test('a value that is not understood shows in standing and work list, until it is corrected', () => {
    const now = Date.UTC(2026, 0, 1);
    const identity = {
      state: 'active',
      stateChangedAt: 0,
      createdAt: 0,
      disabledByEngine: false,
      publishedStage: 'active',
    } as const;
    const unclear = planWith({ account_type: 7 });
    const state = withAssessment(
      initialState(anna, { id: 'small' }, now),
      { identity, activity: {}, plan: unclear },
      now,
    );
    expect(state.warnings).toEqual(['metadata-not-understood']);
    expect(decide({ state, plan: unclear, identity, now })).toMatchObject({
      blocked: {
        by: 'exempt',
        why: 'not understood: metadata_admin.account_type. It might exempt, so nothing is done',
      },
    });
    const mended = withAssessment(state, { identity, activity: {}, plan: planWith({}) }, now);
    expect(mended.warnings).toEqual([]);
  });
});
