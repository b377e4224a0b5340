/** The addresses of an identity that mails go to. */
import type { Unverified } from '../domain/mail-choices.js';
import type { KratosIdentity } from '../ory/kratos-identity.js';

export interface MailAddress {
  /** Kratos' id of the address: identifies it without revealing it. */
  readonly id: string;
  readonly value: string;
}

/**
 * Every verified and every recovery e-mail address, each once. Where there are none, the unverified ones: a
 * notice to an unconfirmed address is better than none, unless the installation forbids such mails.
 */
export function mailAddresses(
  identity: KratosIdentity,
  unverified: Unverified = 'last-resort',
): MailAddress[] {
  const verifiable = mailOnly(identity.verifiable_addresses);
  const recovery = mailOnly(identity.recovery_addresses);
  // guard: notices go to recovery addresses, too
  const trusted = [...verifiable.filter(({ verified }) => verified), ...recovery];
  const chosen = trusted.length > 0 || unverified === 'never' ? trusted : verifiable;
  // Kratos makes a recovery address of each address that the schema names, confirmed or not.
  const unconfirmed = new Set(
    unverified === 'never'
      ? verifiable.filter(({ verified }) => !verified).map(({ value }) => folded(value))
      : [],
  );
  const byValue = new Map<string, MailAddress>();
  for (const { id, value } of chosen) {
    const address = folded(value);
    if (address !== '' && !unconfirmed.has(address) && !byValue.has(address))
      byValue.set(address, { id: id ?? String(byValue.size), value: address });
  }
  return [...byValue.values()];
}

/** How many of the addresses that a mail would go to are confirmed, and how many are not. */
export function countAddresses(
  identity: KratosIdentity,
  unverified?: Unverified,
): { verified: number; unverified: number } {
  const confirmed = new Set(
    mailOnly(identity.verifiable_addresses)
      .filter((address) => address.verified)
      .map(({ value }) => folded(value)),
  );
  const addresses = mailAddresses(identity, unverified);
  const verified = addresses.filter(({ value }) => confirmed.has(value)).length;
  return { verified, unverified: addresses.length - verified };
}

/** Whether there are mail addresses that could have been confirmed, and none ever was. */
export function isUnconfirmed(identity: KratosIdentity): boolean {
  const verifiable = mailOnly(identity.verifiable_addresses);
  return verifiable.length > 0 && verifiable.every(({ verified }) => !verified);
}

/** Every e-mail address of the identity, whether mails go to it or not. */
export function everyAddress(identity: KratosIdentity): string[] {
  const all = [...mailOnly(identity.verifiable_addresses), ...mailOnly(identity.recovery_addresses)];
  return all.map(({ value }) => folded(value));
}

/** Addresses that differ only in case count as one. */
function folded(value: string): string {
  return value.trim().toLowerCase();
}

/** Kratos' lists may include telephone numbers, and are absent where there are none. */
function mailOnly<Address extends { readonly via: string }>(
  addresses: readonly Address[] | null | undefined,
) {
  return (addresses ?? []).filter(({ via }) => via === 'email');
}
