import { randomUUID } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VerificationUnavailableError } from '../../src/middleware/errors.js';
import { jwtVerifier } from '../../src/middleware/jwt.js';
import { issuerKey, type Served, serve } from './support.js';

const issuer = 'https://issuer.example';
const audience = 'https://api.example';
const sub = randomUUID();

let rsa: Awaited<ReturnType<typeof issuerKey>>;
let ec: Awaited<ReturnType<typeof issuerKey>>;
let jwks: Served;

beforeAll(async () => {
  [rsa, ec] = await Promise.all([issuerKey('RS256'), issuerKey('ES256')]);
  const body = JSON.stringify({ keys: [rsa.jwk, ec.jwk] });
  jwks = await serve((server) => server.on('request', (_request, response) => response.end(body)));
});
afterAll(() => jwks.close());

const verifier = () => jwtVerifier({ url: jwks.url, issuer, audience }, 20_000);

function token(claims: Record<string, unknown> = {}) {
  return new SignJWT({ sub, iss: issuer, aud: audience, ...claims }).setIssuedAt();
}
const signed = (claims: Record<string, unknown> = {}, key = rsa) =>
  token(claims)
    .setExpirationTime('5m')
    .setProtectedHeader({ alg: key.alg, kid: key.kid })
    .sign(key.privateKey);

describe('a JWT is accepted only if the issuer signed it for this API', () => {
  test('signed by RSA or by an elliptic curve', async () => {
    for (const key of [rsa, ec]) {
      const { identity, expiresAt } = await verifier()(await signed({}, key));
      expect(identity).toEqual({ identityId: sub, kind: 'token' });
      expect(expiresAt).toBeGreaterThan(Date.now());
    }
  });

  test.each([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another API', { aud: 'https://other.example' }],
    ['whose subject is no identity', { sub: 'someone@example.com' }],
    ['without subject', { sub: undefined }],
    ['not valid yet', { nbf: Math.floor(Date.now() / 1_000) + 600 }],
    ['of a client for itself', { client_id: sub }],
  ])('not one %s', async (_name, claims) => {
    expect((await verifier()(await signed(claims))).identity).toBeUndefined();
  });

  test('not an expired one, nor one that never expires', async () => {
    const header = { alg: rsa.alg, kid: rsa.kid };
    const expired = await token()
      .setExpirationTime(Math.floor(Date.now() / 1_000) - 60)
      .setProtectedHeader(header)
      .sign(rsa.privateKey);
    const eternal = await token().setProtectedHeader(header).sign(rsa.privateKey);
    for (const text of [expired, eternal]) expect((await verifier()(text)).identity).toBeUndefined();
  });

  test('not an unsigned one', async () => {
    const unsigned = new UnsecuredJWT({ sub })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('5m')
      .encode();
    expect((await verifier()(unsigned)).identity).toBeUndefined();
  });

  test('not one signed by HMAC with the public key as the secret', async () => {
    const publicKey = await importJWK(rsa.jwk, 'RS256');
    if (publicKey instanceof Uint8Array) throw new Error('not an asymmetric key');
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    const forged = await token()
      .setExpirationTime('5m')
      .setProtectedHeader({ alg: 'HS256', kid: rsa.kid })
      .sign(secret);
    expect((await verifier()(forged)).identity).toBeUndefined();
  });

  test('not one of a foreign key under the name of the known one, nor one that brings its own', async () => {
    const foreign = await issuerKey('RS256');
    for (const header of [
      { alg: 'RS256', kid: rsa.kid },
      { alg: 'RS256', kid: rsa.kid, jwk: foreign.jwk },
      { alg: 'RS256', kid: 'unknown' },
    ]) {
      const forged = await token()
        .setExpirationTime('5m')
        .setProtectedHeader(header)
        .sign(foreign.privateKey);
      expect((await verifier()(forged)).identity).toBeUndefined();
    }
  });

  test('not one whose claims were changed after signing', async () => {
    const [head, , signature] = (await signed()).split('.');
    const body = Buffer.from(
      JSON.stringify({ sub: randomUUID(), iss: issuer, aud: audience, exp: 9_999_999_999 }),
    ).toString('base64url');
    expect((await verifier()(`${head}.${body}.${signature}`)).identity).toBeUndefined();
  });

  test('nor a text that is no token', async () => {
    for (const text of ['', 'x', 'a.b.c', '....']) expect((await verifier()(text)).identity).toBeUndefined();
  });
});

test('a key set that does not answer is a failure, not a verdict', async () => {
  const silent = await serve((server) => server.on('request', () => undefined));
  const broken = await serve((server) =>
    server.on('request', (_request, response) => response.writeHead(503).end()),
  );
  try {
    for (const { url } of [silent, broken]) {
      const verify = jwtVerifier({ url, issuer, audience }, 200);
      await expect(verify(await signed())).rejects.toThrow(VerificationUnavailableError);
    }
  } finally {
    await Promise.all([silent.close(), broken.close()]);
  }
});
