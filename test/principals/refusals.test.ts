/** Bounds of what refused calls leave in the audit log, with a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import { isWithin, networkOf } from '../../src/principals/networks.js';
import { type NotedRefusal, Refusals } from '../../src/principals/refusals.js';

function recorder() {
  const entries: AuditEntry[] = [];
  const clock = { at: Date.UTC(2026, 0, 1) };
  const refusals = new Refusals({
    append: async (entry) => void entries.push(entry),
    onError: (error) => {
      throw error;
    },
    now: () => clock.at,
  });
  const note = (more: Partial<NotedRefusal> = {}) =>
    refusals.note({ cause: 'unknown', method: 'GET', route: '/v1/worklist', address: '192.0.2.1', ...more });
  return { entries, clock, note };
}

describe('refused calls', () => {
  it('of one cause and address are one entry a minute, which counts the others', () => {
    const { entries, clock, note } = recorder();
    for (let nth = 0; nth < 1_000; nth += 1) note();
    note({ cause: 'scope', actor: 'credential:desk' });
    note({ address: '192.0.2.2' });
    expect(entries.map(({ outcome, actor, detail }) => [outcome, actor, detail?.others])).toEqual([
      ['unknown', 'engine', 0],
      ['scope', 'credential:desk', 999],
      ['unknown', 'engine', 0],
    ]);
    clock.at += 60_000;
    note();
    expect(entries).toHaveLength(4);
    expect(new Set(entries.map(({ eventId }) => eventId)).size).toBe(4);
  });

  it('of ten thousand addresses are 60 entries a minute, and none names an address', () => {
    const { entries, note } = recorder();
    for (let nth = 0; nth < 10_000; nth += 1) note({ address: `10.${nth % 100}.${Math.floor(nth / 100)}.7` });
    expect(entries).toHaveLength(60);
    expect(JSON.stringify(entries)).not.toMatch(/10\.\d/);
  });

  it('of one /64 of IPv6 count as one address', () => {
    const { entries, note } = recorder();
    for (let nth = 1; nth < 200; nth += 1) note({ address: `2001:db8::${nth.toString(16)}` });
    expect(entries).toHaveLength(1);
  });
});

describe('networks', () => {
  it.each([
    ['::1', '0:0:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['nonsense', 'unknown'],
  ])('%s counts as %s', (address, network) => expect(networkOf(address)).toBe(network));

  it.each([
    [[], '192.0.2.1', true],
    [['192.0.2.0/24'], '192.0.2.255', true],
    [['192.0.2.0/24'], '192.0.3.0', false],
    [['192.0.2.0/24'], '::ffff:192.0.2.9', true],
    [['192.0.2.7'], '192.0.2.7', true],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '192.0.2.7', false],
    [['192.0.2.0/24'], 'nonsense', false],
    [['nonsense'], '192.0.2.7', false],
  ])('%j holds %s: %s', (networks, address, isIn) => expect(isWithin(networks, address)).toBe(isIn));
});
