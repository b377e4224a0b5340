/** The keys that tokens are verified with, and the algorithms that go with them (RFC 8725, sections 3.1 and 3.2). */
import {
  type CompactJWSHeaderParameters,
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  type FlattenedJWSInput,
} from 'jose';
import { ConfigError } from '../../config.js';
import type { InactiveTokensOptions } from './options.js';

export interface TrustedKeys {
  readonly algorithms: string[];
  readonly keyOf: (
    header: CompactJWSHeaderParameters,
    token: FlattenedJWSInput,
  ) => Promise<CryptoKey | Uint8Array>;
}

const asymmetric: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const symmetric: readonly string[] = ['HS256', 'HS384', 'HS512'];
/** RFC 7518, section 3.2: as long as the hash at least. */
const leastSecretBytes = 32;

/** @throws ConfigError where keys and algorithms don't go together */
export function trustedKeys({
  keys,
  algorithms,
  verifyTimeoutMs = 2_000,
}: Pick<InactiveTokensOptions, 'keys' | 'algorithms' | 'verifyTimeoutMs'>): TrustedKeys {
  if ('secret' in keys) {
    const secret = typeof keys.secret === 'string' ? new TextEncoder().encode(keys.secret) : keys.secret;
    if (secret.length < leastSecretBytes) {
      throw new ConfigError(
        `keys.secret has ${secret.length} bytes, and could be guessed. Take ${leastSecretBytes} random bytes at least`,
      );
    }
    return { algorithms: allowed(algorithms ?? ['HS256'], symmetric, 'a secret'), keyOf: async () => secret };
  }
  const list = allowed(algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'], asymmetric, 'a key set');
  if ('jwks' in keys) return { algorithms: list, keyOf: createLocalJWKSet(keys.jwks) };
  if (!URL.canParse(keys.jwksUrl)) {
    throw new ConfigError(
      'keys.jwksUrl is not a URL. Write it whole, as https://hydra.example/.well-known/jwks.json',
    );
  }
  const remote = createRemoteJWKSet(new URL(keys.jwksUrl), { timeoutDuration: verifyTimeoutMs });
  return { algorithms: list, keyOf: remote };
}

/** A public key must never serve as a secret, which anybody who reads it could sign with. */
function allowed(wanted: readonly string[], known: readonly string[], with_: string): string[] {
  // guard: access tokens: algorithms go with the kind of key
  const wrong = wanted.filter((name) => !known.includes(name));
  if (wanted.length > 0 && wrong.length === 0) return [...wanted];
  throw new ConfigError(
    `algorithms: ${wrong.length === 0 ? 'names none' : `${wrong.join(', ')} can't be used with ${with_}`}. Take one of: ${known.join(', ')}`,
  );
}
