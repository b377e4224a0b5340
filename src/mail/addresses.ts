/** Which addresses of an identity mails go to. */
import type { Unverified } from '../domain/mail-choices.js';
import type { KratosIdentity } from '../ory/kratos-identity.js';

export interface MailAddress {
  /** Kratos' id of the address: names it without being it. */
  readonly id: string;
  readonly value: string;
}

/**
 * Every verified and every recovery e-mail address, each once. Where none of these exists, the unverified ones: a notice
 * to an address that nobody confirmed is better than none, unless the installation wants no mail to such.
 */
export function mailAddresses(
  identity: KratosIdentity,
  unverified: Unverified = 'last-resort',
): MailAddress[] {
  const verifiable = mailOnly(identity.verifiable_addresses);
  const recovery = mailOnly(identity.recovery_addresses);
  const trusted = [...verifiable.filter(({ verified }) => verified), ...recovery];
  const chosen = trusted.length > 0 || unverified === 'never' ? trusted : verifiable;
  // Kratos makes a recovery address of each that the schema names, confirmed or not.
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

/** How many of the addresses that a mail would go to somebody confirmed, and how many nobody did. */
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

/** Whether there are mail addresses that somebody could have confirmed, and nobody ever did. */
export function isUnconfirmed(identity: KratosIdentity): boolean {
  const verifiable = mailOnly(identity.verifiable_addresses);
  return verifiable.length > 0 && verifiable.every(({ verified }) => !verified);
}

/** Every e-mail address of the identity, whether mails go to it or not. */
export function everyAddress(identity: KratosIdentity): string[] {
  const all = [...mailOnly(identity.verifiable_addresses), ...mailOnly(identity.recovery_addresses)];
  return all.map(({ value }) => folded(value));
}

/** Addresses that differ in case only are one. */
function folded(value: string): string {
  return value.trim().toLowerCase();
}

/** Kratos has telephone numbers among them, and says nothing where there are none. */
function mailOnly<Address extends { readonly via: string }>(
  addresses: readonly Address[] | null | undefined,
) {
  return (addresses ?? []).filter(({ via }) => via === 'email');
}
