/** Which addresses of an identity mails go to. */
import type { KratosIdentity } from './kratos-identity.js';

export interface MailAddress {
  /** Kratos' id of the address: names it without being it. */
  readonly id: string;
  readonly value: string;
}

/**
 * Every verified and every recovery e-mail address, each once. Where none of these exists, the unverified ones: a notice
 * to an address that nobody confirmed is better than none.
 */
export function mailAddresses(identity: KratosIdentity): MailAddress[] {
  const verifiable = (identity.verifiable_addresses ?? []).filter(({ via }) => via === 'email');
  const recovery = (identity.recovery_addresses ?? []).filter(({ via }) => via === 'email');
  const trusted = [...verifiable.filter(({ verified }) => verified), ...recovery];
  const chosen = trusted.length > 0 ? trusted : verifiable;
  const byValue = new Map<string, MailAddress>();
  for (const { id, value } of chosen) {
    const address = folded(value);
    if (address !== '' && !byValue.has(address))
      byValue.set(address, { id: id ?? String(byValue.size), value: address });
  }
  return [...byValue.values()];
}

/** Every e-mail address of the identity, whether mails go to it or not. */
export function everyAddress(identity: KratosIdentity): string[] {
  const all = [...(identity.verifiable_addresses ?? []), ...(identity.recovery_addresses ?? [])];
  return all.filter(({ via }) => via === 'email').map(({ value }) => folded(value));
}

/** Addresses that differ in case only are one. */
function folded(value: string): string {
  return value.trim().toLowerCase();
}
