import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import {
  generateSigningKey,
  parseKeys,
  privateJwkText,
  publicJwk,
  signingKeyOf,
} from '../../src/keys/signing-keys.js';

const pem = (key: ReturnType<typeof generateSigningKey>) =>
  key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('parseKeys', () => {
  it.each(['ed25519', 'rsa'] as const)('reads an %s key from JWK, PEM, and PEM in one line', (kind) => {
    const key = generateSigningKey(kind);
    const forms = [privateJwkText(key), pem(key), pem(key).replaceAll('\n', '\\n')];
    for (const form of forms) {
      const [read] = parseKeys(form, 'KEY');
      expect(read?.keyId).toBe(key.keyId);
      expect(read?.privateKey?.equals(key.privateKey)).toBe(true);
    }
  });

  it('names a key by its RFC 7638 thumbprint, as others do', async () => {
    for (const kind of ['ed25519', 'rsa'] as const) {
      const key = generateSigningKey(kind);
      const { kid, ...jwk } = publicJwk(key);
      expect(kid).toBe(await calculateJwkThumbprint(key.publicKey.export({ format: 'jwk' })));
      expect(jwk).not.toHaveProperty('d');
    }
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const [ec] = parseKeys(JSON.stringify(publicKey.export({ format: 'jwk' })), 'KEY');
    expect(ec).toMatchObject({
      algorithm: 'ES256',
      keyId: await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })),
    });
  });

  it('reads a set: the first signs, all verify; public keys are enough to verify', () => {
    const [one, two] = [generateSigningKey('ed25519'), generateSigningKey('rsa')];
    const set = JSON.stringify({ keys: [JSON.parse(privateJwkText(one)), publicJwk(two)] });
    const keys = parseKeys(set, 'KEY');
    expect(keys.map(({ keyId }) => keyId)).toEqual([one.keyId, two.keyId]);
    expect(signingKeyOf(keys, 'KEY').keyId).toBe(one.keyId);
    const spki = two.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(() => signingKeyOf(parseKeys(spki, 'KEY'), 'KEY')).toThrow(/KEY must begin with a private key/);
  });

  it.each([
    ['nonsense', 'secret-nonsense'],
    ['a broken PEM', '-----BEGIN PRIVATE KEY-----\nsecret-nonsense\n-----END PRIVATE KEY-----'],
    ['no keys', '{"keys":[]}'],
    ['a symmetric key', '{"kty":"oct","k":"secret-nonsense"}'],
    [
      'a short RSA key',
      JSON.stringify(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })),
    ],
    [
      'another curve',
      JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })),
    ],
  ])('refuses %s, naming the variable and never the value', (_what, text) => {
    expect(() => parseKeys(text, 'KEY')).toThrow(ConfigError);
    expect(() => parseKeys(text, 'KEY')).toThrow(/^KEY holds /);
    expect(() => parseKeys(text, 'KEY')).not.toThrow(/secret-nonsense/);
  });
});
