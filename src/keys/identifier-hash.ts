/** Names identifiers and addresses without being them: keyed hashes (HMAC-SHA-256), by DORMOUSE_IDENTIFIER_KEY. */
import { createHmac } from 'node:crypto';

/** Without a key nothing is remembered. */
export type IdentifierKey = string;

/** The same identifier in whatever case or Unicode form it is written; another hash for each purpose. */
export function hashOfIdentifier(
  key: IdentifierKey,
  identifier: string,
  purpose: 'identifier' | 'return-address' = 'identifier',
): Buffer {
  const folded = identifier.normalize('NFKC').trim().toLowerCase();
  return createHmac('sha256', key).update(`dormouse/${purpose}/${folded}`).digest();
}
