/**
 * Derives a mail's name from its key, so that a second copy of the same mail has the same name.
 * Imports only the address parser.
 */
import { createHash } from 'node:crypto';
import addressparser from 'nodemailer/lib/addressparser';
import { MailConfigError } from './errors.js';

/**
 * A Message-ID that is the same for the same key and sender domain, so that receivers can merge a copy that
 * was sent again after an ambiguous answer. It holds 160 bits of the key's SHA-256 (short enough for one
 * header line), never the key itself.
 *
 * @param key - What makes the mail unique, e.g. workflow id, kind and deadline.
 * @param from - The From address, with or without display name; gives the domain.
 * @returns The header's value with its angle brackets (RFC 5322, 3.6.4).
 * @throws {@link MailConfigError} when `from` has no domain.
 */
export function stableMessageId(key: string, from: string): string {
  // guard: mail: the same mail has the same Message-ID
  const digest = createHash('sha256').update(key, 'utf8').digest('hex').slice(0, 40);
  return `<${digest}@${senderDomain(from)}>`;
}

function senderDomain(from: string): string {
  const address = addressparser(from, { flatten: true })[0]?.address ?? '';
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  if (!address.includes('@') || !/^[\p{L}\p{N}.-]+$/u.test(domain)) {
    throw new MailConfigError('the sender address of mail has no valid domain');
  }
  return domain;
}
