import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routesAbove } from '../../../src/domain/sessions/paths.js';
import { type Authentication, judge, leaseEndsAt, missingOf } from '../../../src/domain/sessions/verdict.js';
import { at, hour, minute, sessionsPolicy } from './fixtures.js';

const limits = { idleMs: 30 * minute, idleRule: 'idle', absoluteMs: 12 * hour, absoluteRule: 'absolute' };

describe('a session', () => {
  it('is live until the moment of its idle limit, and ended from it on', () => {
    const times = { authenticatedAt: at, lastActiveAt: at + minute };
    expect(judge(times, limits, at + 31 * minute - 1)).toEqual({
      state: 'live',
      idleEndsAt: at + 31 * minute,
      idleMs: 30 * minute,
      absoluteEndsAt: at + 12 * hour,
      rule: 'idle',
    });
    expect(judge(times, limits, at + 31 * minute)).toEqual({
      state: 'ended',
      reason: 'idle',
      rule: 'idle',
      endedAt: at + 31 * minute,
    });
  });

  it('never ends of idleness with a request at every limit less one second', () => {
    let lastActiveAt = at;
    for (let round = 1; round <= 10; round += 1) {
      const now = at + round * (30 * minute - 1_000);
      expect(judge({ authenticatedAt: at, lastActiveAt }, limits, now).state).toBe('live');
      lastActiveAt = now;
    }
  });

  it('ends at its absolute limit however active the person is', () => {
    const now = at + 12 * hour;
    expect(judge({ authenticatedAt: at, lastActiveAt: now - 1 }, limits, now)).toEqual({
      state: 'ended',
      reason: 'absolute',
      rule: 'absolute',
      endedAt: now,
    });
  });

  it('without an idle limit lives until its absolute limit', () => {
    const casual = { ...limits, idleMs: null, idleRule: 'none' };
    const times = { authenticatedAt: at, lastActiveAt: at };
    expect(judge(times, casual, at + 12 * hour - 1)).toEqual({
      state: 'live',
      idleEndsAt: null,
      idleMs: null,
      absoluteEndsAt: at + 12 * hour,
      rule: 'absolute',
    });
    expect(judge(times, casual, at + 12 * hour)).toMatchObject({ state: 'ended', reason: 'absolute' });
  });

  it('that reaches both limits at once ends by the absolute one', () => {
    const now = at + 12 * hour;
    expect(judge({ authenticatedAt: at, lastActiveAt: now - 30 * minute }, limits, now)).toMatchObject({
      reason: 'absolute',
      rule: 'absolute',
      endedAt: now,
    });
  });

  it.each([
    '2026-03-28T23:30:00Z',
    '2026-10-24T23:30:00Z',
  ])('that was idle for 24 h and 60 s from %s on, across a change of the clocks, is ended', (start) => {
    const signedInAt = Date.parse(start);
    const long = { ...limits, absoluteMs: 30 * 24 * hour };
    const times = { authenticatedAt: signedInAt, lastActiveAt: signedInAt };
    const now = signedInAt + 24 * hour + minute;
    expect(judge(times, long, now)).toMatchObject({ reason: 'idle', endedAt: signedInAt + 30 * minute });
  });

  it('with times in the future gets no longer life than one of now', () => {
    const future = { authenticatedAt: at + 5 * hour, lastActiveAt: at + 2 * hour };
    expect(judge(future, limits, at)).toMatchObject({
      idleEndsAt: at + 30 * minute,
      absoluteEndsAt: at + 12 * hour,
    });
  });

  it('under a lease counts from the last beat, and still ends at its absolute limit', () => {
    const times = { authenticatedAt: at, lastActiveAt: at, leaseBeatAt: at + 89 * minute };
    expect(judge(times, limits, at + 90 * minute)).toMatchObject({ idleEndsAt: at + 119 * minute });
    const late = { ...times, leaseBeatAt: at + 12 * hour - 1 };
    expect(judge(late, limits, at + 12 * hour)).toMatchObject({ reason: 'absolute' });
    expect(leaseEndsAt(times, sessionsPolicy({ lease: { atMost: '2h' } }))).toBe(at + 2 * hour);
  });

  it('that renews moves no end back, and its verdict is live exactly before both ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 13 * 60 }),
        fc.integer({ min: 0, max: 13 * 60 }),
        fc.integer({ min: 0, max: 13 * 60 }),
        (active, later, asked) => {
          const before = { authenticatedAt: at, lastActiveAt: at + active * minute };
          const after = { ...before, lastActiveAt: at + Math.max(active, later) * minute };
          const now = at + asked * minute;
          const [one, two] = [judge(before, limits, now), judge(after, limits, now)];
          if (one.state === 'live') expect(two.state).toBe('live');
          const endsAt = Math.min(Math.min(before.lastActiveAt, now) + 30 * minute, at + 12 * hour);
          expect(one.state).toBe(now < endsAt ? 'live' : 'ended');
        },
      ),
    );
  });
});

describe('step-up', () => {
  const policy = sessionsPolicy({
    stepUp: { '/account': '1h', '/account/delete': { maxAge: '5m', acr: 'aal2' } },
  });
  const fresh = { assurance: 'aal2' as const, latestAt: at };
  const asked = (path: string, signIn: Authentication, now: number) =>
    missingOf(
      routesAbove(policy.stepUp, path).map(([, rule]) => rule),
      signIn,
      now,
    );

  it('asks nothing of a fresh and strong sign-in', () => {
    expect(asked('/account/delete', fresh, at + minute)).toBeUndefined();
    expect(asked('/home', { assurance: 'aal1', latestAt: 0 }, at)).toBeUndefined();
  });

  it('names the age and the level that the strictest rules above the path ask for', () => {
    const both = { maxAge: 5 * minute, acr: 'aal2' };
    expect(asked('/account/delete', fresh, at + 5 * minute)).toEqual(both);
    expect(asked('/account/delete', { ...fresh, assurance: 'aal1' }, at)).toEqual(both);
    expect(asked('/account', { ...fresh, assurance: 'aal1' }, at + hour)).toEqual({
      maxAge: hour,
    });
  });

  it('takes the strongest level and the shortest age, in whatever order the rules come', () => {
    const rules = [{ acr: 'aal2' }, { maxAge: hour }, { acr: 'aal1' }, { maxAge: 5 * minute }] as const;
    const strictest = { maxAge: 5 * minute, acr: 'aal2' };
    const weak = { assurance: 'aal1', latestAt: at } as const;
    expect(missingOf(rules, weak, at)).toEqual(strictest);
    expect(missingOf(rules.toReversed(), weak, at)).toEqual(strictest);
    expect(missingOf(rules, fresh, at + 5 * minute - 1)).toBeUndefined();
    expect(missingOf(rules, fresh, at + 5 * minute)).toEqual(strictest);
  });

  it('asks by a level alone for no age, and by an age alone for no level', () => {
    expect(missingOf([{ acr: 'aal2' }], { assurance: 'aal2', latestAt: 0 }, at)).toBeUndefined();
    expect(missingOf([{ acr: 'aal2' }], { assurance: 'aal1', latestAt: at }, at)).toEqual({ acr: 'aal2' });
    expect(missingOf([{ maxAge: hour }], { assurance: 'aal1', latestAt: at }, at)).toBeUndefined();
    expect(missingOf([], { assurance: 'aal1', latestAt: 0 }, at)).toBeUndefined();
  });
});
