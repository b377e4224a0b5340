/** Every known way to forge an access token, tried over HTTP against the guard (RFC 8725). */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { CompactEncrypt, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portOf } from '../middleware/support.js';
import { hmacSigner, rsaSigner, type Signer, tokenOf, withMember } from '../support/forged-tokens.js';
import { audience, issuer, type TokenApp, TokenApps } from '../support/token-apps.js';

let apps: TokenApps;
let right: Signer;
let attacker: { readonly sign: Signer; readonly jwk: object; readonly url: string };
let publicKey: { readonly pem: string; readonly jwk: string; readonly forEncryption: CryptoKey };
let asked = 0;

/** Serves the attacker's key, and counts who comes for it. */
const server = createServer((_request, response) => {
  asked += 1;
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [attacker.jwk] }));
});

beforeAll(async () => {
  apps = await TokenApps.begin();
  right = rsaSigner(apps.key);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pair = await generateKeyPair('RS256', { extractable: true });
  attacker = {
    sign: rsaSigner(pair.privateKey),
    jwk: { ...(await exportJWK(pair.publicKey)), kid: 'one' },
    url: `http://127.0.0.1:${portOf(server)}/jwks.json`,
  };
  const key = (await importJWK(apps.jwk, 'RS256')) as CryptoKey;
  const { kty = '', n = '', e = '' } = apps.jwk;
  const forEncryption = (await importJWK({ kty, n, e }, 'RSA-OAEP-256')) as CryptoKey;
  publicKey = { forEncryption, pem: await exportSPKI(key), jwk: JSON.stringify(apps.jwk) };
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await apps.close();
});

const usual = { alg: 'RS256', kid: 'one', typ: 'at+jwt' };
const subject = '0b9ff8a5-5d3c-4f4b-9a44-0d6a2c1f7e51';
const claims = (more: object = {}) => {
  const iat = apps.seconds();
  return { iss: issuer, aud: audience, sub: subject, iat, exp: iat + 600, jti: randomUUID(), ...more };
};
/** Signed by the issuer, with another header. */
const headed = (header: object | string, sign: Signer = right) => tokenOf(header, claims(), sign);
/** Signed by the issuer, with another payload. */
const claiming = (more: object) => tokenOf(usual, claims(more), right);
/** Signed by the issuer, with a member in the JSON text that no library writes. */
const holding = (member: string, more: object = {}) =>
  tokenOf(usual, withMember(claims(more), member), right);
const nested = (levels: number) => `"x":${'['.repeat(levels)}${']'.repeat(levels)}`;
const parts = (token: string) => token.split('.') as [string, string, string];

type Forged = readonly [what: string, reason: string, token: () => string | Promise<string>];

const forgedHeaders: readonly Forged[] = [
  ...['none', 'None', 'NONE', 'nOnE'].flatMap((alg): Forged[] => [
    [
      `alg "${alg}" without a signature`,
      'malformed',
      () => headed({ ...usual, alg }, () => new Uint8Array()),
    ],
    [`alg "${alg}" with a signature`, 'algorithm', () => headed({ ...usual, alg })],
  ]),
  ['an empty alg', 'malformed', () => headed({ ...usual, alg: '' })],
  ['no alg', 'malformed', () => headed({ kid: 'one', typ: 'at+jwt' })],
  ['a list as alg', 'malformed', () => headed({ ...usual, alg: ['RS256'] })],
  ['alg in lower case', 'algorithm', () => headed({ ...usual, alg: 'rs256' })],
  ['alg RS512, which is not on the list', 'algorithm', () => headed({ ...usual, alg: 'RS512' })],
  ['alg ES256, for which there is no key', 'key', () => headed({ ...usual, alg: 'ES256' })],
  [
    'HS256 with the public key as PEM for a secret',
    'algorithm',
    () => headed({ ...usual, alg: 'HS256' }, hmacSigner(publicKey.pem)),
  ],
  [
    'HS256 with the public key as JWK for a secret',
    'algorithm',
    () => headed({ ...usual, alg: 'HS256' }, hmacSigner(publicKey.jwk)),
  ],
  [
    'HS256 with an empty file as kid, and its content for a secret',
    'algorithm',
    () => headed({ ...usual, alg: 'HS256', kid: '../../dev/null' }, hmacSigner('')),
  ],
  ['a path as kid', 'key', () => headed({ ...usual, kid: '../../dev/null' }, attacker.sign)],
  ['a kid that nobody knows', 'key', () => headed({ ...usual, kid: 'two' })],
  ['SQL as kid', 'key', () => headed({ ...usual, kid: "one' OR '1'='1" }, attacker.sign)],
  ['an object as kid', 'key', () => headed({ ...usual, kid: { $ne: '' } }, attacker.sign)],
  ['no kid, by another key', 'signature', () => headed({ alg: 'RS256', typ: 'at+jwt' }, attacker.sign)],
  ['the kid of the issuer, by another key', 'signature', () => headed(usual, attacker.sign)],
  ['the key itself as jwk', 'signature', () => headed({ ...usual, jwk: attacker.jwk }, attacker.sign)],
  [
    'the address of a key set as jku',
    'signature',
    () => headed({ ...usual, jku: attacker.url }, attacker.sign),
  ],
  [
    'the address of a certificate as x5u',
    'signature',
    () => headed({ ...usual, x5u: attacker.url }, attacker.sign),
  ],
  ['a critical extension', 'malformed', () => headed({ ...usual, crit: ['exp'], exp: 9_999_999_999 })],
  ['an empty crit', 'malformed', () => headed({ ...usual, crit: [] })],
  ['b64 false', 'malformed', () => headed({ ...usual, crit: ['b64'], b64: false })],
  ['b64 false that is not called critical', 'malformed', () => headed({ ...usual, b64: false })],
  ['two alg members', 'malformed', () => headed(withMember(usual, '"alg":"none"'))],
  ['two typ members, one of them escaped', 'malformed', () => headed(withMember(usual, '"t\\u0079p":"x"'))],
  ['a __proto__ member in the header', 'malformed', () => headed(withMember(usual, '"__proto__":{}'))],
  ['a header that is a list', 'malformed', () => headed([usual])],
  ['a header that is no JSON', 'malformed', () => headed('alg: RS256')],
  ['a header 2,000 levels deep', 'signature', () => headed(withMember(usual, nested(2_000)), attacker.sign)],
  ['no typ', 'type', () => headed({ alg: 'RS256', kid: 'one' })],
  ...['JWE', 'dpop+jwt', 'logout+jwt', 'at+jwt ', '', 7, null].map(
    (typ): Forged => [`typ ${JSON.stringify(typ)}`, 'type', () => headed({ ...usual, typ })],
  ),
];

const forgedClaims: readonly Forged[] = [
  ...[
    '"never"',
    '"9999999999"',
    '1e400',
    '-1',
    'null',
    'true',
    '[9999999999]',
    '{"at":1}',
    '8640000000001',
  ].map((exp): Forged => [`exp ${exp}`, 'claims', () => holding(`"exp":${exp}`, { exp: undefined })]),
  ['no exp', 'claims', () => claiming({ exp: undefined })],
  ['two exp members', 'claims', () => holding('"exp":9999999999')],
  ['two exp members, one of them escaped', 'claims', () => holding('"e\\u0078p":9999999999')],
  ['two members deep inside', 'claims', () => holding('"ext":{"roles":["a"],"roles":[]}')],
  ['iat that is no number', 'claims', () => claiming({ iat: 'today' })],
  ['iat 1e400', 'claims', () => holding('"iat":1e400', { iat: undefined })],
  ['nbf that is no number', 'claims', () => claiming({ nbf: 'soon' })],
  ['another issuer', 'issuer', () => claiming({ iss: 'https://evil.example/' })],
  ['the issuer without its last slash', 'issuer', () => claiming({ iss: issuer.slice(0, -1) })],
  ['the issuer in upper case', 'issuer', () => claiming({ iss: issuer.toUpperCase() })],
  ['a list with the issuer', 'claims', () => claiming({ iss: [issuer] })],
  ['no issuer', 'claims', () => claiming({ iss: undefined })],
  [
    'an ID token, whose audience is the client',
    'audience',
    () => tokenOf({ ...usual, typ: 'JWT' }, claims({ aud: 'shop', azp: 'shop' }), right),
  ],
  ['an audience list without this API', 'audience', () => claiming({ aud: ['https://other.example'] })],
  ['an empty audience list', 'audience', () => claiming({ aud: [] })],
  ['the audience with a slash behind it', 'audience', () => claiming({ aud: `${audience}/` })],
  ['no audience', 'claims', () => claiming({ aud: undefined })],
  ['no sub', 'claims', () => claiming({ sub: undefined })],
  ['a sub that is no UUID', 'subject', () => claiming({ sub: 'anna' })],
  ['a sub with a line break behind it', 'subject', () => claiming({ sub: `${subject}\n` })],
  ['a sub with NUL', 'subject', () => claiming({ sub: `${subject}\0` })],
  ['a list as sub', 'claims', () => claiming({ sub: [subject] })],
  ['a sub that is the client', 'subject', () => claiming({ client_id: subject })],
  ['a __proto__ member', 'claims', () => holding(`"__proto__":{"sub":"${subject}"}`, { sub: undefined })],
  ['a payload that is a list', 'claims', () => tokenOf(usual, [claims()], right)],
  ['a payload that is a text', 'claims', () => tokenOf(usual, '"anna"', right)],
  ['a payload that is null', 'claims', () => tokenOf(usual, 'null', right)],
  ['a payload that is no JSON', 'claims', () => tokenOf(usual, 'sub=anna', right)],
  ['a payload with a raw NUL', 'claims', () => holding('"x":"\0"')],
  [
    'a payload that is no UTF-8',
    'claims',
    () => tokenOf(usual, Buffer.from(withMember(claims(), '"x":"\xFF"'), 'latin1'), right),
  ],
];

const forgedForms: readonly Forged[] = [
  [
    'the payload of another person',
    'signature',
    async () => {
      const [header, , signature] = parts(claiming({}));
      return [header, parts(claiming({ sub: randomUUID() }))[1], signature].join('.');
    },
  ],
  [
    'the header of another token',
    'signature',
    () => {
      const [, payload, signature] = parts(claiming({}));
      return [parts(headed({ ...usual, typ: 'JWT' }))[0], payload, signature].join('.');
    },
  ],
  ['a signature that is cut off', 'signature', () => claiming({}).slice(0, -8)],
  ['no signature', 'malformed', () => parts(claiming({})).slice(0, 2).join('.')],
  ['an empty signature', 'malformed', () => `${parts(claiming({})).slice(0, 2).join('.')}.`],
  ['a dot behind it', 'malformed', () => `${claiming({})}.`],
  ['whitespace inside', 'malformed', () => claiming({}).replace('.', '. ')],
  ['padding', 'malformed', () => `${claiming({})}==`],
  ['the other alphabet of base64', 'malformed', () => `${parts(claiming({})).slice(0, 2).join('.')}.+/+/`],
  ['9,000 characters', 'malformed', () => claiming({ x: 'x'.repeat(6_300) })],
  ['a payload 3,000 levels deep, which is too long', 'malformed', () => holding(nested(3_000))],
  ['words', 'malformed', () => 'no-token'],
  ['JSON instead of the compact form', 'malformed', () => JSON.stringify({ payload: 'e30', signatures: [] })],
  [
    'an encrypted token, in five parts',
    'malformed',
    () =>
      new CompactEncrypt(Buffer.from(claiming({})))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'one', typ: 'at+jwt', cty: 'JWT' })
        .encrypt(publicKey.forEncryption),
  ],
];

describe.each(['fastify', 'express'] as const)('with %s', (framework) => {
  let app: TokenApp;
  beforeAll(async () => {
    app = await apps[framework]({ policy: { excluded: ['/poll'] } });
  });
  afterAll(() => apps.closeApps());

  async function written(): Promise<unknown> {
    const { rows } = await apps.database.pool.query(
      "SELECT (SELECT count(*) FROM token_use) AS uses, (SELECT count(*) FROM audit WHERE event_type = 'token_refused') AS audited",
    );
    return rows[0];
  }

  async function refusalOf(ask: () => Promise<{ status: number; body: unknown }>) {
    const before = await written();
    const lines = app.log.length;
    const { status, body } = await ask();
    expect(await written()).toEqual(before);
    return { status, body, lines: app.log.slice(lines) };
  }

  const asking =
    (token: string, path = '/') =>
    async () => {
      const answer = await app.get(path, token);
      return { status: answer.status, body: (await answer.json()) as unknown };
    };

  describe.each([
    ['a header', forgedHeaders],
    ['a payload', forgedClaims],
    ['a token', forgedForms],
  ] as const)('%s that is forged:', (_of, cases) => {
    it.each(cases)('%s is refused', async (_what, reason, build) => {
      const token = await build();
      const { status, body, lines } = await refusalOf(asking(token));
      expect(status).toBe(401);
      expect(body).toEqual({ error: 'invalid_token', end: 'error', reason, now: expect.any(String) });
      expect(lines).toEqual([{ category: 'SECURITY', event: 'token_refused', reason }]);
      const told = JSON.stringify(lines);
      for (const part of [...token.split('.'), subject]) {
        if (part.length > 2) expect(told).not.toContain(part);
      }
    });
  });

  it('no key was asked for where a header says', () => {
    expect(asked).toBe(0);
  });

  it('a forged token is refused below an excluded path and at the routes of the guard as well', async () => {
    for (const path of ['/poll', '/token/status', '/token/status?path=/poll']) {
      const { status, body } = await refusalOf(asking(headed(usual, attacker.sign), path));
      expect([status, body]).toMatchObject([401, { end: 'error', reason: 'signature' }]);
    }
    const out = await refusalOf(async () => {
      const answer = await fetch(`${app.url}/token/sign-out`, {
        method: 'POST',
        headers: { authorization: `Bearer ${headed(usual, attacker.sign)}` },
      });
      return { status: answer.status, body: await answer.json() };
    });
    expect([out.status, out.body]).toMatchObject([401, { end: 'error', reason: 'signature' }]);
  });

  describe('a genuine token with', () => {
    it.each<[string, string, string, () => object]>([
      ['an exp of now', 'time', 'expired', () => ({ exp: apps.seconds() })],
      ['exp 0', 'time', 'expired', () => ({ exp: 0 })],
      [
        'an exp of long ago',
        'time',
        'expired',
        () => ({ iat: apps.seconds() - 900, exp: apps.seconds() - 300 }),
      ],
      [
        'an iat in the far future',
        'error',
        'not_yet',
        () => ({ iat: apps.seconds() + 86_400, exp: apps.seconds() + 90_000 }),
      ],
      ['an iat beyond the leeway', 'error', 'not_yet', () => ({ iat: apps.seconds() + 60 })],
      ['an nbf in the future', 'error', 'not_yet', () => ({ nbf: apps.seconds() + 60 })],
      ['an auth_time in the future', 'error', 'not_yet', () => ({ auth_time: apps.seconds() + 60 })],
      ['no iat and a far exp', 'time', 'lifetime', () => ({ iat: undefined, exp: apps.seconds() + 86_400 })],
      [
        'no iat and the last exp that there is',
        'time',
        'lifetime',
        () => ({ iat: undefined, exp: 8_640_000_000_000 }),
      ],
      [
        'an iat of an hour ago and a far exp',
        'time',
        'lifetime',
        () => ({ iat: apps.seconds() - 3_600, exp: apps.seconds() + 86_400 }),
      ],
      [
        'an issued_at of an hour ago and a far exp',
        'time',
        'lifetime',
        () => ({ iat: undefined, issued_at: apps.seconds() - 3_600, exp: apps.seconds() + 86_400 }),
      ],
    ])('%s is refused, and gets no row of its use', async (_what, end, reason, more) => {
      const sub = randomUUID();
      const token = claiming({ ...more(), sub });
      const lines = app.log.length;
      const { status, body } = await asking(token)();
      expect([status, body]).toMatchObject([401, { error: 'invalid_token', end, reason }]);
      expect(app.log.slice(lines)).toEqual([
        { category: 'SECURITY', event: 'token_refused', reason, identityId: sub },
      ]);
      expect(await apps.uses(sub)).toEqual([]);
      const audited = await apps.audited(sub);
      expect(audited).toMatchObject([{ outcome: reason }]);
      for (const part of parts(token)) expect(JSON.stringify([audited, app.log])).not.toContain(part);
    });

    it.each<[string, () => string]>([
      ['the usual claims', () => claiming({})],
      ['a list of audiences with this API', () => claiming({ aud: ['https://other.example', audience] })],
      ['issued_at instead of iat', () => claiming({ iat: undefined, issued_at: apps.seconds() })],
      [
        'neither, and an exp within the lifetime',
        () => claiming({ iat: undefined, exp: apps.seconds() + 3_600 }),
      ],
      ['a fraction as exp (RFC 7519, section 2)', () => claiming({ exp: apps.seconds() + 600.5 })],
      ['an iat within the leeway', () => claiming({ iat: apps.seconds() + 10 })],
      ['an exp beyond the lifetime, while it is young', () => claiming({ exp: apps.seconds() + 86_400 })],
      ['a member that nobody knows, deep inside', () => holding(nested(1_000))],
      ['typ JWT', () => headed({ ...usual, typ: 'JWT' })],
      ['typ application/AT+JWT', () => headed({ ...usual, typ: 'application/AT+JWT' })],
      ['no kid, where there is one key', () => headed({ alg: 'RS256', typ: 'at+jwt' })],
    ])('%s is good', async (_what, build) => {
      expect(await asking(build())()).toMatchObject({ status: 200, body: { who: subject } });
    });

    it.each(['bearer', 'BEARER', 'Bearer  '])('the scheme "%s" is good', async (scheme) => {
      const answer = await fetch(app.url, { headers: { authorization: `${scheme} ${claiming({})}` } });
      expect(answer.status).toBe(200);
    });
  });

  it('a token elsewhere than in the header is none', async () => {
    const token = claiming({});
    const lines = app.log.length;
    for (const headers of [
      { cookie: `token=${token}` },
      { authorization: `Basic ${token}` },
      { authorization: token },
    ]) {
      const answer = await fetch(`${app.url}/?access_token=${token}`, { headers });
      expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'no_token' }]);
    }
    expect(app.log.slice(lines)).toEqual([]);
  });

  it.each<[string, () => [string, string]]>([
    ['a genuine and a forged one', () => [claiming({}), headed(usual, attacker.sign)]],
    ['a forged and a genuine one', () => [headed(usual, attacker.sign), claiming({})]],
    ['two genuine ones', () => [claiming({}), claiming({ sub: randomUUID() })]],
  ])('two Authorization headers, %s, are refused', async (_what, build) => {
    const twice = build().map((token) => `Bearer ${token}`);
    const { status, body, lines } = await refusalOf(async () => {
      const asks = request(app.url);
      asks.setHeader('authorization', twice);
      asks.end();
      const [answer] = (await once(asks, 'response')) as [IncomingMessage];
      const text = Buffer.concat(await answer.toArray()).toString();
      return { status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown };
    });
    expect([status, body]).toMatchObject([401, { end: 'error', reason: 'malformed' }]);
    expect(lines).toEqual([{ category: 'SECURITY', event: 'token_refused', reason: 'malformed' }]);
  });

  it('a token that was signed out comes back in no other spelling of its signature', async () => {
    const token = claiming({ jti: undefined, sub: randomUUID() });
    expect((await app.get('/', token)).status).toBe(200);
    await app.strategy.revoke({ authorization: `Bearer ${token}` });
    expect((await app.get('/', token)).status).toBe(401);
    // 256 bytes leave four bits of the last character unused.
    const last = token.at(-1) ?? '';
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelled = `${token.slice(0, -1)}${letters[letters.indexOf(last) + 1]}`;
    const { status, body } = await asking(respelled)();
    expect([status, body]).toMatchObject([401, { end: 'revoked', reason: 'revoked' }]);
  });
});
