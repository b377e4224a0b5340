import { describe, expect, it } from 'vitest';
import { shortestIdle } from '../../../src/domain/sessions/limits.js';
import { sessionsPresets } from '../../../src/domain/sessions/presets.js';
import { PolicyFileError, parsePolicyFile } from '../../../src/policies/yaml.js';
import { hour, minute } from './fixtures.js';

const ladder = `id: p
ladder:
  warn: { after: 30d }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`;
const read = (sessions: string) => parsePolicyFile(`${ladder}sessions: ${sessions}`, 'p.yaml').sessions;

function problemsOf(sessions: string): string[] {
  try {
    read(sessions);
  } catch (error) {
    if (error instanceof PolicyFileError)
      return error.problems.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
  return [];
}

describe('the section sessions', () => {
  it('may be left out', () => {
    expect(parsePolicyFile(ladder, 'p.yaml').sessions).toBeUndefined();
  });

  it('reads durations, routes, devices, roles, choices and step-up', () => {
    expect(
      read(
        '{ idle: 30m, absolute: 12h, routes: { /billing: 5m }, devices: { mobile: 60m }, roles: { admin: 10m }, choices: { offered: [0, 15m] }, stepUp: { /admin: 5m }, warnBefore: 30s }',
      ),
    ).toMatchObject({
      idle: 30 * minute,
      absolute: 12 * hour,
      routes: { '/billing': 5 * minute },
      devices: { mobile: hour },
      roles: { admin: { idle: 10 * minute } },
      choices: { offered: [0, 15 * minute], ceilings: {} },
      stepUp: { '/admin': { maxAge: 5 * minute } },
      renewal: 'presence',
      whenUnavailable: 'refuse',
    });
  });

  it.each(Object.keys(sessionsPresets))('takes the preset %s without further fields', (preset) => {
    const policy = read(`{ preset: ${preset} }`);
    expect(policy?.preset).toBe(preset);
    expect(sessionsPresets[preset]?.satisfies).not.toHaveLength(0);
  });

  it.each(
    Object.entries(sessionsPresets),
  )('of the preset %s has room for ten extensions, or an absolute limit beyond 20 hours', (preset) => {
    const policy = read(`{ preset: ${preset} }`);
    const idles = [policy?.idle, policy?.devices.mobile, policy?.devices.desktop];
    const longest = Math.max(...idles.filter((ms): ms is number => typeof ms === 'number'));
    const absolute = policy?.absolute ?? 0;
    expect(absolute >= 11 * longest || absolute > 20 * hour).toBe(true);
  });

  it.each([
    ['nist-aal2', hour, 24 * hour],
    ['nist-aal3', 15 * minute, 12 * hour],
    ['pci-dss', 15 * minute, 12 * hour],
  ])('of the preset %s stays within its standard', (preset, idle, absolute) => {
    const policy = read(`{ preset: ${preset} }`);
    expect(policy?.idle).toBeLessThanOrEqual(idle);
    expect(policy?.absolute).toBeLessThanOrEqual(absolute);
    expect(policy && shortestIdle(policy)).toBeLessThanOrEqual(idle);
  });

  it('takes a written field in place of the one of its preset', () => {
    expect(read('{ preset: banking, idle: 12m }')).toMatchObject({ idle: 12 * minute, absolute: 4 * hour });
  });

  it.each([
    ['{ preset: bank }', 'sessions.preset', 'banking'],
    ['{ absolute: 12h }', 'sessions.idle', ''],
    ['{ idle: 30m }', 'sessions.absolute', 'is missing'],
    ['{ idle: 30, absolute: 12h }', 'sessions.idle', 'Write a whole number and a unit'],
    ['{ idle: 13h, absolute: 12h }', 'sessions.idle', 'longer than the absolute limit'],
    [
      '{ idle: 30m, absolute: 12h, routes: { billing: 5m } }',
      'sessions.routes.billing',
      'path from the root',
    ],
    ['{ idle: 30m, absolute: 12h, routes: { /a: 45m } }', 'sessions.routes./a', 'would never apply'],
    ['{ idle: 30m, absolute: 12h, roles: { admin: 45m } }', 'sessions.roles.admin', 'would never apply'],
    [
      '{ idle: 30m, absolute: 12h, roles: { admin: { absolute: 13h } } }',
      'sessions.roles.admin',
      'beyond that of all',
    ],
    ['{ idle: 30m, absolute: 12h, roles: { admin: {} } }', 'sessions.roles.admin', 'limits nothing'],
    ['{ idle: 30m, absolute: 12h, warnBefore: 10s }', 'sessions.warnBefore', 'WCAG 2.2.1'],
    ['{ idle: 30m, absolute: 12h, warnBefore: 16m }', 'sessions.warnBefore', 'half of the shortest'],
    ['{ idle: 30s, absolute: 12h, warnBefore: 20s }', 'sessions.idle', 'below a minute'],
    ['{ idle: 30m, absolute: 12h, lease: { beat: 20m } }', 'sessions.lease.beat', 'half of the shortest'],
    ['{ idle: 30m, absolute: 12h, lease: { atMost: 5m } }', 'sessions.lease.atMost', 'Lengthen it'],
    ['{ idle: 30m, absolute: 12h, choices: { offered: [15m, 15m] } }', 'sessions.choices.offered.1', 'twice'],
    ['{ idle: 30m, absolute: 12h, choices: { offered: [5] } }', 'sessions.choices.offered.0', 'neither 0'],
    ['{ idle: 30m, absolute: 12h, renewal: always }', 'sessions.renewal', 'presence'],
    ['{ idle: 30m, absolute: 12h, whenUnavailable: maybe }', 'sessions.whenUnavailable', 'refuse'],
    ['{ idle: 30m, absolute: 12h, stepUp: { /a: {} } }', 'sessions.stepUp./a', 'asks for nothing'],
    ['{ idle: 30m, absolute: 12h, stepup: {} }', 'sessions.stepup', 'not a field'],
    ['{ idle: 0m, absolute: 12h }', 'sessions.idle', 'Write a whole number and a unit'],
  ])('refuses %s and names the field and the way out', (text, field, way) => {
    expect(problemsOf(text)).toEqual(expect.arrayContaining([expect.stringContaining(`${field}: `)]));
    expect(problemsOf(text).join('\n')).toContain(way);
  });
});
