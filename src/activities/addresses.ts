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
    const folded = value.trim().toLowerCase();
    if (folded !== '' && !byValue.has(folded))
      byValue.set(folded, { id: id ?? String(byValue.size), value: folded });
  }
  return [...byValue.values()];
}
