import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  limitsFor,
  offeredChoices,
  type SessionSubject,
  shortestIdle,
} from '../../../src/domain/sessions/limits.js';
import { hour, minute, sessionsPolicy } from './fixtures.js';

const desktop: SessionSubject = { devices: ['desktop'], roles: [], assurance: 'aal1' };

describe('the idle limit', () => {
  const policy = sessionsPolicy({
    routes: { '/billing': '5m', '/admin': '10m', '/admin/keys': '2m' },
    devices: { mobile: '60m', desktop: '30m' },
    roles: { auditor: '20m', admin: { idle: '15m', absolute: '8h' } },
    assurance: { aal2: { idle: '25m', absolute: '10h' } },
    choices: { offered: [0, '15m', '30m', '60m'], ceilings: { clerk: '10m' } },
    warnBefore: '30s',
  });
  const idleOf = (subject: Partial<SessionSubject>) => {
    const { idleMs, idleRule } = limitsFor(policy, { ...desktop, ...subject });
    return [idleMs === null ? null : idleMs / minute, idleRule];
  };

  it.each<[string, Partial<SessionSubject>, number, string]>([
    ['a desktop', {}, 30, 'devices:desktop'],
    ['a phone', { devices: ['mobile'] }, 60, 'devices:mobile'],
    [
      'a sign-in on a desktop that now calls itself a phone',
      { devices: ['desktop', 'mobile'] },
      30,
      'devices:desktop',
    ],
    ['an unknown device', { devices: [] }, 30, 'idle'],
    ['a phone on a route', { devices: ['mobile'], path: '/billing/invoices?x=1' }, 5, 'routes:/billing'],
    ['the strictest of two routes above', { path: '/admin/keys/1' }, 2, 'routes:/admin/keys'],
    ['a role in other letters', { roles: ['Admin'] }, 15, 'roles:admin'],
    ['the strictest of two roles', { roles: ['auditor', 'admin'] }, 15, 'roles:admin'],
    ['an assurance level', { assurance: 'aal2' }, 25, 'assurance:aal2'],
    ['a choice', { choiceMs: 15 * minute }, 15, 'choice'],
    ['a choice beyond the policy', { choiceMs: 60 * minute }, 30, 'devices:desktop'],
    ['the choice "never"', { choiceMs: 0 }, 30, 'devices:desktop'],
    ['the choice "never" under a ceiling', { choiceMs: 0, roles: ['clerk'] }, 10, 'choices:clerk'],
  ])('of %s is %s', (_, subject, minutes, rule) => {
    expect(idleOf(subject)).toEqual([minutes, rule]);
  });

  it.each([
    '/billing',
    '/billing/',
    '/Billing',
    '//billing',
    '/./billing',
    '/x/../billing',
    '/%62illing',
    '/billing;a=1/x',
    '/billing%2Fx',
    '\\billing',
  ])('of /billing reaches %s', (path) => {
    expect(idleOf({ path })).toEqual([5, 'routes:/billing']);
  });

  it.each([
    '/billings',
    '/bill',
    '/',
    '',
    '/x/billing',
    '/%',
    '/billing/../home',
  ])('of /billing spares %s', (path) => {
    expect(idleOf({ path })).toEqual([30, 'devices:desktop']);
  });

  it('never exceeds any rule that applies', () => {
    fc.assert(
      fc.property(
        fc.record({
          devices: fc.subarray(['mobile', 'desktop'] as const),
          roles: fc.subarray(['admin', 'auditor', 'clerk', 'other']),
          assurance: fc.constantFrom('aal1' as const, 'aal2' as const),
          choiceMs: fc.constantFrom(0, 15 * minute, 30 * minute, hour),
          path: fc.constantFrom('/', '/billing', '/admin', '/admin/keys', '/other'),
        }),
        (subject) => {
          const { idleMs, absoluteMs } = limitsFor(policy, subject);
          expect(idleMs).not.toBeNull();
          const bounds = [
            hour,
            ...(subject.choiceMs > 0 ? [subject.choiceMs] : []),
            ...(subject.roles.includes('admin') ? [15 * minute] : []),
            ...(subject.roles.includes('clerk') ? [10 * minute] : []),
            ...(subject.path === '/billing' ? [5 * minute] : []),
          ];
          expect(idleMs).toBeLessThanOrEqual(Math.min(...bounds));
          expect(absoluteMs).toBe(
            subject.roles.includes('admin') ? 8 * hour : subject.assurance === 'aal2' ? 10 * hour : 12 * hour,
          );
        },
      ),
    );
  });

  it('is absent where the policy has none, until the person chooses one', () => {
    const casual = sessionsPolicy({ idle: 'none', choices: { offered: [0, '30m'] } });
    expect(limitsFor(casual, desktop).idleMs).toBeNull();
    expect(limitsFor(casual, { ...desktop, choiceMs: 30 * minute })).toMatchObject({
      idleMs: 30 * minute,
      idleRule: 'choice',
    });
  });

  it('bounds the choices that are offered', () => {
    expect(offeredChoices(policy, { ...desktop, path: '/billing' })).toEqual([0, 15 * minute, 30 * minute]);
    expect(offeredChoices(policy, { ...desktop, roles: ['clerk'] })).toEqual([0]);
    expect(offeredChoices(sessionsPolicy(), desktop)).toEqual([]);
  });

  it('is no bound of the choices where the policy has none', () => {
    const casual = sessionsPolicy({ idle: 'none', choices: { offered: [0, '30m', '8h'] } });
    expect(offeredChoices(casual, desktop)).toEqual([0, 30 * minute, 8 * hour]);
  });

  it('is that of the policy for a device class without one of its own', () => {
    const mobileOnly = sessionsPolicy({ devices: { mobile: '10m' } });
    expect(limitsFor(mobileOnly, desktop)).toMatchObject({ idleMs: 30 * minute, idleRule: 'idle' });
    expect(limitsFor(mobileOnly, { ...desktop, devices: [] })).toMatchObject({ idleMs: 30 * minute });
  });
});

describe('roles and assurance levels', () => {
  const policy = sessionsPolicy({
    roles: { clerk: { idle: '10m' }, auditor: { absolute: '2h' } },
    assurance: { aal2: { absolute: '1h' } },
  });

  it.each<[string, Partial<SessionSubject>, number, number, string]>([
    ['a role with an idle limit alone', { roles: ['clerk'] }, 10 * minute, 12 * hour, 'absolute'],
    ['a role with an absolute limit alone', { roles: ['auditor'] }, 30 * minute, 2 * hour, 'roles:auditor'],
    ['a level with an absolute limit alone', { assurance: 'aal2' }, 30 * minute, hour, 'assurance:aal2'],
    ['all of them', { roles: ['clerk', 'auditor'], assurance: 'aal2' }, 10 * minute, hour, 'assurance:aal2'],
  ])('%s leaves the other limit', (_what, subject, idleMs, absoluteMs, absoluteRule) => {
    expect(limitsFor(policy, { ...desktop, ...subject })).toMatchObject({ idleMs, absoluteMs, absoluteRule });
  });
});

describe('the shortest idle limit of any request', () => {
  it.each<[string, Record<string, unknown>, number | undefined]>([
    ['all sessions', {}, 30],
    ['nothing', { idle: 'none' }, undefined],
    ['a mobile device', { devices: { mobile: '10m', desktop: '20m' } }, 10],
    ['a desktop', { devices: { mobile: '20m', desktop: '10m' } }, 10],
    ['a route', { routes: { '/billing': '5m' } }, 5],
    ['a role', { roles: { clerk: { idle: '10m' }, auditor: { absolute: '2h' } } }, 10],
    ['an assurance level', { assurance: { aal2: { idle: '4m' } } }, 4],
    ['a ceiling of choices', { choices: { offered: ['30m'], ceilings: { clerk: '3m' } } }, 3],
    ['a choice', { choices: { offered: [0, '15m'] } }, 15],
    ['a choice alone', { idle: 'none', choices: { offered: [0, '15m'] } }, 15],
  ])('is set by %s', (_what, fields, minutes) => {
    expect(shortestIdle(sessionsPolicy(fields))).toBe(minutes === undefined ? undefined : minutes * minute);
  });
});
