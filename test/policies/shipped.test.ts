/** The policies that are shipped say what the design says (section 2). */
import { describe, expect, it } from 'vitest';
import { rungNames } from '../../src/domain/rungs.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { day, defaultPolicy, demoText, planOf } from '../domain/fixtures.js';

describe('policies/default.yaml', () => {
  it('has the figures of the design', () => {
    const { ladder } = defaultPolicy;
    expect(rungNames.map((rung) => (ladder[rung]?.after ?? 0) / day)).toEqual([30, 60, 90, 180, 365, 730]);
    expect(ladder.suspend?.noticeFloor).toBe(7 * day);
    expect(ladder.revoke).toMatchObject({
      notices: [7 * day],
      noticeFloor: 7 * day,
      withoutNotice: 'proceed',
    });
    expect(ladder.deactivate).toMatchObject({
      notices: [7 * day],
      noticeFloor: 7 * day,
      withoutNotice: 'wait',
    });
    expect(ladder.delete).toMatchObject({
      notices: [30 * day, 7 * day, day],
      noticeFloor: 30 * day,
      withoutNotice: 'wait',
    });
    expect(defaultPolicy.keepsAlive).toEqual(['human', 'token']);
    expect(defaultPolicy.allowShortDurations).toBe(false);
  });

  it('revokes admins after 7 days, users after 90, services never', () => {
    const revokedAfter = (adminRole: string) =>
      planOf({ ...defaultPolicy, jitter: 0 }, { adminRole }).rungs.find(({ rung }) => rung === 'revoke')
        ?.afterMs;
    expect(revokedAfter('admin')).toBe(7 * day);
    expect(revokedAfter('user')).toBe(90 * day);
    expect(planOf(defaultPolicy, { adminRole: 'service' }).exempt).toBe('role');
    expect(planOf(defaultPolicy, { accountType: 'service' }).exempt).toBe('account-type');
    expect(planOf(defaultPolicy, { accountType: 'trusted_integration' }).exempt).toBe('account-type');
    expect(planOf(defaultPolicy, { accountType: 'regular' }).exempt).toBeUndefined();
  });
});

it('policies/demo.yaml is the same ladder in seconds', () => {
  const demo = parsePolicyFile(demoText, 'policies/demo.yaml');
  const shape = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'number' ? 0 : inner)));
  expect(shape(demo.ladder)).toEqual(shape(defaultPolicy.ladder));
  expect(shape(demo.roles)).toEqual(shape(defaultPolicy.roles));
  expect(demo.accountTypes).toEqual(defaultPolicy.accountTypes);
  expect(demo.keepsAlive).toEqual(defaultPolicy.keepsAlive);
  expect(demo.allowShortDurations).toBe(true);
  expect(demo.ladder.delete?.after).toBeLessThanOrEqual(60_000);
});
