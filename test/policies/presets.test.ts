/** The presets are sound, keep the figures that they name, and say what they leave open. */
import { expect, it } from 'vitest';
import type { rungNames } from '../../src/domain/rungs.js';
import { courseOf } from '../../src/forecast/course.js';
import { presetNames, readPreset } from '../../src/policies/presets.js';
import { parsePolicyToPublish } from '../../src/policies/yaml.js';
import { absentState, day, enabled, epoch, planOf } from '../domain/fixtures.js';

const names = ['cis', 'consumer-two-years', 'nist-aal2', 'pci-dss', 'stig', 'strict-admin'];
const read = async (name: string) => parsePolicyToPublish(await readPreset(name), `${name}.yaml`);

/** Days until the rung of a person who is never seen again, by the whole ladder with its jitter and floors. */
async function daysUntil(name: string, rung: (typeof rungNames)[number], adminRole?: string) {
  const plan = planOf(await read(name), adminRole === undefined ? {} : { adminRole });
  const life = { state: absentState(), plan, identity: enabled(), mailFate: 'accepted' } as const;
  const { deeds } = courseOf(life, epoch, epoch + 2_000 * day);
  const deed = deeds.find((one) => one.kind === 'rung' && one.rung === rung);
  return deed === undefined ? undefined : (deed.at - epoch) / day;
}

it('the presets that there are', async () => {
  expect(await presetNames()).toEqual(names);
});

it.each(names)('%s is a policy that can be published, under its own name', async (name) => {
  expect((await read(name)).id).toBe(name);
});

it.each(
  names,
)('%s says what it satisfies, what it does not, and where the figures come from', async (name) => {
  const text = await readPreset(name);
  for (const heading of ['# Satisfies:', '# Does not satisfy by itself:', '# Source of the figure'])
    expect(text).toContain(heading);
});

it.each([
  ['pci-dss', 'PCI DSS 8.2.6', 90],
  ['cis', 'CIS 5.3', 45],
  ['stig', 'the STIG', 35],
] as const)('%s disables an account within the days of %s', async (name, _standard, days) => {
  const until = await daysUntil(name, 'deactivate');
  expect(until).toBeLessThanOrEqual(days);
  expect(until).toBeGreaterThan(days - 2);
});

it('pci-dss and nist-aal2 have the session limits of their standards', async () => {
  expect((await read('pci-dss')).sessions).toMatchObject({ idle: 15 * 60_000 });
  expect((await read('nist-aal2')).sessions).toMatchObject({ idle: 3_600_000, absolute: day });
});

it('consumer-two-years reminds eight months ahead of a deletion after two years', async () => {
  const { ladder } = await read('consumer-two-years');
  expect(ladder.delete?.after).toBe(730 * day);
  expect(ladder.delete?.notices[0]).toBeGreaterThanOrEqual(243 * day);
});

it('strict-admin: an admin is revoked after a week and disabled after a month, everybody else after a year', async () => {
  expect(Math.floor((await daysUntil('strict-admin', 'revoke', 'admin')) ?? 0)).toBe(7);
  expect(Math.floor((await daysUntil('strict-admin', 'deactivate', 'admin')) ?? 0)).toBe(30);
  expect(Math.floor((await daysUntil('strict-admin', 'deactivate')) ?? 0)).toBe(365);
});

it('an unknown preset: the error names those that there are', async () => {
  await expect(readPreset('../default')).rejects.toThrow(`There are: ${names.join(', ')}`);
});
