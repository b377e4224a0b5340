/** Random lives for the simulator: policies of every shape, and events of every kind. */
import fc from 'fast-check';
import { signKinds } from '../../src/domain/sign-of-life.js';
import { day, defaultPolicy, epoch, exactPolicy, hour, smallPolicy } from './fixtures.js';
import type { Happening, Luck, Scenario, Scheduled } from './simulator.js';

const revoke = (after: number, more = ''): string =>
  `revoke: {after: ${after}d, notices: [7d], noticeFloor: 7d, withoutNotice: wait${more}}`;
const deletion = 'delete: {after: 200d, notices: [30d, 7d, 1d], noticeFloor: 30d}';

/** Ladders that differ in their rungs, in the order by role, and in the kinds that keep an account alive. */
export const policies = [
  defaultPolicy,
  exactPolicy,
  smallPolicy(`${revoke(20)}\n${deletion}`),
  smallPolicy(
    `warn: {after: 5d}\nsuspend: {after: 9d, noticeFloor: 3d}\n${revoke(20)}\nwinback: {after: 40d}
     deactivate: {after: 60d, notices: [10d, 2d], noticeFloor: 5d, withoutNotice: wait}\n${deletion}`,
    'keepsAlive: [human]\nroles: {late: {revoke: {after: 50d}}, admin: {revoke: {after: 7d, notices: [2d], noticeFloor: 2d}}}\n',
  ),
  smallPolicy(
    `warn: {after: 60d}\n${revoke(120, '').replace('wait', 'proceed')}
     deactivate: {after: 150d, notices: [14d], noticeFloor: 14d, withoutNotice: proceed}`,
    'jitter: 3d\n',
  ),
  smallPolicy(
    `${revoke(20)}\n${deletion}`,
    'selfService: {keep: {rungs: [revoke, delete], postpones: 30d, times: 3}}\n',
  ),
] as const;

export const luck = fc.constantFrom<Luck>(
  'accepted',
  'accepted',
  'accepted',
  'ambiguous',
  'rejected',
  'no-address',
  'fails',
);

const duration = fc.oneof(
  fc.integer({ min: 0, max: 3 * hour }),
  fc.integer({ min: 0, max: 12 * day }),
  fc.integer({ min: 0, max: 200 * day }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: seen() },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('seen-at-deadline' as const),
      offsetMs: fc.constantFrom(-hour, -1, 0, 1, hour),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('hold' as const), forMs: duration.map((ms) => ms + 1) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'release' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('policy' as const), index: fc.nat(policies.length - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subject' as const), subject: subjects() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'disable-by-hand' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'enable-by-hand' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'reactivate' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'retry' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('keep' as const), index: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'skip' as const }) },
);

function seen(): fc.Arbitrary<Happening> {
  return fc.record({
    do: fc.constant('seen' as const),
    kind: fc.constantFrom(...signKinds),
    agoMs: fc.oneof(fc.constant(0), fc.constant(-5 * day), duration),
    signalled: fc.boolean(),
  });
}

function subjects() {
  return fc.constantFrom(
    {},
    {},
    { accountType: 'service' },
    { adminRole: 'admin' },
    { adminRole: 'late' },
    { traitsRole: 'admin' },
    { traitsRole: 'service' },
    { optedOut: true },
  );
}

const scheduled: fc.Arbitrary<Scheduled> = fc.record({ afterMs: duration, what: happening });

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    first: fc.nat(policies.length - 1),
    seenDaysBefore: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 0, max: 4000 }),
    ),
    happenings: fc.array(scheduled, { maxLength: 25 }),
    luck: fc.array(luck, { minLength: 1, maxLength: 12 }),
    delaysMs: fc.array(fc.oneof(fc.constant(0), fc.constant(1_000), fc.integer({ min: 0, max: 9 * day })), {
      minLength: 1,
      maxLength: 7,
    }),
  })
  .map(({ first, seenDaysBefore, ...rest }) => ({
    ...rest,
    policies: [...policies.slice(first), ...policies.slice(0, first)],
    lastSeenAt: epoch - seenDaysBefore * day,
    enrolledAt: epoch,
    until: epoch + 2_500 * day,
  }));
