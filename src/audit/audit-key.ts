/** Reads the key that signs heads of the audit log. */
import { type PrivateSigningKey, parseKeys, signingKeyOf } from '../keys/signing-keys.js';

const variable = 'DORMOUSE_AUDIT_SIGNING_KEY';

/** @throws ConfigError where the text holds no private key */
export function readAuditKey(text: string): PrivateSigningKey {
  return signingKeyOf(parseKeys(text, variable), variable);
}
