import { describe, expect, it } from 'vitest';
import { countAddresses, mailAddresses } from '../../src/mail/addresses.js';
import type { KratosIdentity } from '../../src/ory/kratos-identity.js';

type Addresses = Pick<KratosIdentity, 'verifiable_addresses' | 'recovery_addresses'>;
const identity = (addresses: Addresses) => addresses as KratosIdentity;
const verifiable = (value: string, verified: boolean) => ({
  id: `v-${value}`,
  value,
  via: 'email',
  verified,
});
const recovery = (value: string) => ({ id: `r-${value}`, value, via: 'email' });
const values = (addresses: Addresses, ...more: ['never'] | []) =>
  mailAddresses(identity(addresses), ...more).map(({ value }) => value);

describe('addresses that nobody confirmed', () => {
  const unconfirmed = { verifiable_addresses: [verifiable('a@x.test', false)], recovery_addresses: [] };
  // As in Kratos if the schema names the address for recovery, too.
  const both = { ...unconfirmed, recovery_addresses: [recovery('A@x.test')] };
  const mixed = {
    verifiable_addresses: [verifiable('a@x.test', false), verifiable('b@x.test', true)],
    recovery_addresses: [recovery('a@x.test'), recovery('b@x.test'), recovery('c@x.test')],
  };

  it('get the mail if there is no confirmed address', () => {
    expect(values(unconfirmed)).toEqual(['a@x.test']);
    expect(values(both)).toEqual(['a@x.test']);
    expect(values(mixed)).toEqual(['b@x.test', 'a@x.test', 'c@x.test']);
  });

  it('get no mail if the installation says so, not even as recovery addresses', () => {
    expect(values(unconfirmed, 'never')).toEqual([]);
    expect(values(both, 'never')).toEqual([]);
    expect(values(mixed, 'never')).toEqual(['b@x.test', 'c@x.test']);
  });

  it('are counted apart', () => {
    expect(countAddresses(identity(unconfirmed))).toEqual({ verified: 0, unverified: 1 });
    expect(countAddresses(identity(mixed))).toEqual({ verified: 1, unverified: 2 });
    expect(countAddresses(identity(mixed), 'never')).toEqual({ verified: 1, unverified: 1 });
  });
});
