/** Signing keys from the configuration: JWK, JWK set or PEM in, node:crypto keys and their names out. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '../config.js';

/** The algorithm follows from the key. */
export type SignatureAlgorithm = 'EdDSA' | 'RS256' | 'ES256';

export interface SigningKey {
  /** JWK thumbprint (RFC 7638), so that the same key has the same name everywhere. */
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
  /** Absent where only the public half is known. */
  readonly privateKey?: KeyObject;
}

export interface PrivateSigningKey extends SigningKey {
  readonly privateKey: KeyObject;
}

const jwkSchema = z.looseObject({ kty: z.string() });
const jwkTextSchema = z.union([z.object({ keys: z.array(jwkSchema).min(1) }), jwkSchema]);

/**
 * RFC 8017 keys below this are refused: the CAEP interoperability profile,
 * section 2.6, requires at least 2,048.
 */
const minRsaBits = 2_048;

/**
 * @param text one JWK, a JWK set, or PEM (PKCS#8 or SPKI; `\n` may stand for line ends)
 * @param name of the variable or file, for messages
 * @throws ConfigError; it never repeats the text
 */
export function parseKeys(text: string, name: string): readonly SigningKey[] {
  const trimmed = text.trim().replaceAll('\\n', '\n');
  try {
    if (trimmed.startsWith('-----BEGIN')) return [keyFromPem(trimmed)];
    const parsed = jwkTextSchema.parse(JSON.parse(trimmed));
    return ('keys' in parsed ? z.array(jwkSchema).parse(parsed.keys) : [parsed]).map(keyFromJwk);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${name} ${error.message}`);
    throw new ConfigError(
      `${name} holds no key that can be read. It takes a JWK, a JWK set, or PEM (PKCS#8, or SPKI for a public key)`,
    );
  }
}

/**
 * The first key, which signs. Others in the set are older ones whose signatures must still be verifiable.
 * @throws ConfigError where the first has no private half
 */
export function signingKeyOf(keys: readonly SigningKey[], name: string): PrivateSigningKey {
  const [first] = keys;
  if (first?.privateKey === undefined) {
    throw new ConfigError(`${name} must begin with a private key: a public one can't sign`);
  }
  return { ...first, privateKey: first.privateKey };
}

/** The public half, which may be published. */
export function publicJwk(key: SigningKey): JsonWebKey {
  const exported = key.publicKey.export({ format: 'jwk' });
  return { ...exported, kid: key.keyId, alg: key.algorithm, use: 'sig' };
}

/** The private key as one line of JSON, for an environment variable. */
export function privateJwkText(key: PrivateSigningKey): string {
  return JSON.stringify({ ...key.privateKey.export({ format: 'jwk' }), kid: key.keyId });
}

/** A new key: Ed25519 for Dormouse's own use, RSA where other parties choose the verifier. */
export function generateSigningKey(kind: 'ed25519' | 'rsa'): PrivateSigningKey {
  const { privateKey } =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: minRsaBits });
  return { ...describeKey(createPublicKey(privateKey)), privateKey };
}

function keyFromPem(pem: string): SigningKey {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return describeKey(createPublicKey(pem));
  const privateKey = createPrivateKey(pem);
  return { ...describeKey(createPublicKey(privateKey)), privateKey };
}

function keyFromJwk(jwk: z.output<typeof jwkSchema>): SigningKey {
  const key: JsonWebKey = jwk;
  const known = describeKey(createPublicKey({ key, format: 'jwk' }));
  return jwk.d === undefined ? known : { ...known, privateKey: createPrivateKey({ key, format: 'jwk' }) };
}

function describeKey(publicKey: KeyObject): SigningKey {
  return { keyId: thumbprint(publicKey), algorithm: algorithmOf(publicKey), publicKey };
}

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType !== 'rsa') {
    throw new ConfigError('holds a key of another kind than Ed25519, P-256 or RSA');
  }
  if ((modulusLength ?? 0) < minRsaBits) {
    throw new ConfigError(`holds an RSA key of less than ${minRsaBits} bits`);
  }
  return 'RS256';
}

/** RFC 7638, section 3: the required members, in the order of their names. */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
}
