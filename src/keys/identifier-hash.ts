/**
 * Identifies identifiers and addresses without revealing them: keyed hashes
 * (HMAC-SHA-256), by DORMOUSE_IDENTIFIER_KEY.
 */
import { createHmac } from 'node:crypto';

/** Without a key nothing is remembered. */
export type IdentifierKey = string;

/** The same hash for an identifier in any case or Unicode form, and a different one for each purpose. */
export function hashOfIdentifier(
  key: IdentifierKey,
  identifier: string,
  purpose: 'identifier' | 'return-address' = 'identifier',
): Buffer {
  const folded = identifier.normalize('NFKC').trim().toLowerCase();
  return createHmac('sha256', key).update(`dormouse/${purpose}/${folded}`).digest();
}
