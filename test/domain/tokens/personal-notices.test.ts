import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dueNotice } from '../../../src/domain/tokens/personal-notices.js';
import { day } from './fixtures.js';

const leads = [30 * day, 7 * day, day];
const unused = { expiresAt: null, inactiveAt: 365 * day };
const used = { createdAt: 0 };

it.each([
  [334, undefined],
  [335, 30],
  [357, 30],
  [358, 7],
  [363, 7],
  [364, 1],
])('on day %i of 365 the notice is that of %s days', (today, lead) => {
  const notice = dueNotice(used, unused, leads, today * day);
  expect(notice).toEqual(
    lead === undefined ? undefined : { by: 'inactive', endsAt: 365 * day, leadMs: lead * day },
  );
});

it('a lead is reached at its instant', () => {
  expect(dueNotice(used, unused, leads, 335 * day - 1)).toBeUndefined();
  expect(dueNotice(used, unused, leads, 335 * day)).toBeDefined();
});

it('the nearest end is announced', () => {
  const both = { expiresAt: 340 * day, inactiveAt: 365 * day };
  expect(dueNotice(used, both, leads, 336 * day)).toEqual({
    by: 'expiry',
    endsAt: 340 * day,
    leadMs: 7 * day,
  });
});

it('a token that never ends, and a policy without notices, announce nothing', () => {
  expect(dueNotice(used, { expiresAt: null, inactiveAt: null }, leads, 999 * day)).toBeUndefined();
  expect(dueNotice(used, unused, [], 364 * day)).toBeUndefined();
});

it('a token of eight days gets the notices of seven days and one, and none of thirty as it is made', () => {
  const short = { expiresAt: 8 * day, inactiveAt: null };
  expect(dueNotice(used, short, leads, 0)).toBeUndefined();
  expect(dueNotice(used, short, leads, day)).toMatchObject({ leadMs: 7 * day });
});

it('a use puts the notice of inactivity off, and brings it back a year later', () => {
  const later = { createdAt: 0, lastUsedAt: 360 * day };
  const verdict = { expiresAt: null, inactiveAt: 725 * day };
  expect(dueNotice(later, verdict, leads, 361 * day)).toBeUndefined();
  expect(dueNotice(later, verdict, leads, 700 * day)).toMatchObject({ endsAt: 725 * day });
});

it('each end has at most as many notices as leads, and their leads only shrink', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), (days) => {
      const seen = [...days]
        .sort((one, other) => one - other)
        .flatMap((today) => dueNotice(used, unused, leads, today * day)?.leadMs ?? []);
      expect(new Set(seen).size).toBeLessThanOrEqual(3);
      expect(seen).toEqual([...seen].sort((one, other) => other - one));
    }),
  );
});
