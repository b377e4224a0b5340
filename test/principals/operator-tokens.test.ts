/** Operators' tokens, with an issuer of the test's own: signed ones, forged ones, and an issuer that lies or is away. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { OperatorTokens, oidcActor } from '../../src/principals/operator-tokens.js';
import { type OperatorsIssuer, parseOperatorsFile } from '../../src/principals/operators-file.js';

const keys = await generateKeyPair('ES256', { extractable: true });
const foreign = await generateKeyPair('ES256');
let server: Server;
let issuer: string;
const state = { status: 200, named: undefined as string | undefined, asked: 0 };

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  server = createServer((request, response) => {
    state.asked += 1;
    response.statusCode = state.status;
    response.setHeader('content-type', 'application/json');
    const isKeys = request.url === '/keys';
    response.end(
      JSON.stringify(
        isKeys ? { keys: [jwk] } : { issuer: state.named ?? issuer, jwks_uri: `${issuer}/keys` },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const file = (more = '') => `issuers:
  - alias: acme
    issuer: ${issuer}
    audience: dormouse-operators
    clients: [cli]
    rolesClaim: ext.groups
    roles: { admins: admin, desk: operator, "constructor": viewer }
${more}`;
const issuers = (): readonly OperatorsIssuer[] => parseOperatorsFile(file(), 'operators.yaml');
const open = (errors: unknown[] = []) => new OperatorTokens(issuers(), (error) => errors.push(error));

const claims = () => ({
  ...{ iss: issuer, aud: 'dormouse-operators', sub: 'olga', client_id: 'cli', ext: { groups: ['desk'] } },
  ...{ iat: Math.floor(Date.now() / 1_000), exp: Math.floor(Date.now() / 1_000) + 600 },
});
const sign = (more: object = {}, header: object = {}, key = keys.privateKey) =>
  new SignJWT({ ...claims(), ...more })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt', ...header })
    .sign(key);

describe('a token', () => {
  it('that holds gives the scopes of its roles, and the subject as actor', async () => {
    const tokens = open();
    const token = await sign();
    expect(tokens.claims(token)).toBe(true);
    const identified = await tokens.verify(token);
    expect(identified).toMatchObject({
      kind: 'known',
      principal: { actor: 'oidc:acme:olga', owner: 'oidc:acme:olga' },
    });
    if (identified.kind !== 'known') throw new Error('refused');
    expect(identified.principal.scopes).toContain('holds:place');
    expect(identified.principal.scopes).not.toContain('breaker:approve');
  });

  it.each([
    ['several roles as text', { ext: { groups: 'desk admins' } }, 'policy:publish', true],
    ['no role', { ext: {} }, 'standing:read', false],
    ['a group that has no role', { ext: { groups: ['guests'] } }, 'standing:read', false],
    [
      'a name of every object as group',
      { ext: { groups: ['toString', '__proto__'] } },
      'standing:read',
      false,
    ],
    ['a group that is no text', { ext: { groups: [{ desk: true }, 7] } }, 'standing:read', false],
    ['the groups at another place', { groups: ['admins'] }, 'standing:read', false],
  ])('with %s', async (_what, more, scope, holds) => {
    const identified = await open().verify(await sign({ ext: {}, ...more }));
    if (identified.kind !== 'known') throw new Error('refused');
    expect(identified.principal.scopes.includes(scope)).toBe(holds);
  });

  it.each<[string, object, object?]>([
    ['another audience', { aud: 'other' }],
    ['a client as audience', { aud: 'cli' }],
    ['no audience', { aud: undefined }],
    ['another client', { client_id: 'shop' }],
    ['another client as azp', { azp: 'shop' }],
    ['no client', { client_id: undefined }],
    ['a list as client', { client_id: ['cli'] }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['no expiry', { exp: undefined }],
    ['an expiry in the past', { exp: Math.floor(Date.now() / 1_000) - 60 }],
    ['no time of issue', { iat: undefined }],
    ['a time of issue in the future', { iat: Math.floor(Date.now() / 1_000) + 300 }],
    ['a life of a month', { exp: Math.floor(Date.now() / 1_000) + 2_592_000 }],
    ['a start in the future', { nbf: Math.floor(Date.now() / 1_000) + 300 }],
    ['the nonce of an ID token', { nonce: 'n' }],
    ['the at_hash of an ID token', { at_hash: 'h' }],
    ['the type of a logout token', {}, { typ: 'logout+jwt' }],
    ['an unknown key', {}, { kid: 'two' }],
  ])('with %s is refused', async (_what, more, header = {}) => {
    expect(await open().verify(await sign(more, header))).toEqual({ kind: 'refused', cause: 'token' });
  });

  it('that is signed by another key, not at all, or by the public key as a password, is refused', async () => {
    const unsigned = new UnsecuredJWT(claims()).encode();
    const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
    const hmac = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
    const stranger = await sign({}, {}, foreign.privateKey);
    const altered = (await sign()).replace(
      /\.[^.]+\./,
      `.${Buffer.from(JSON.stringify({ ...claims(), sub: 'eve' })).toString('base64url')}.`,
    );
    for (const token of [unsigned, hmac, stranger, altered])
      expect(await open().verify(token)).toEqual({ kind: 'refused', cause: 'token' });
  });

  it('of an issuer that is not in the file, too long, or no JWT, asks nobody', async () => {
    const before = state.asked;
    const tokens = open();
    const other = await sign({ iss: `${issuer}/` });
    for (const token of [other, `${await sign()}${'x'.repeat(9_000)}`, 'a.b.c', 'dmc_x', ''])
      expect([tokens.claims(token), await tokens.verify(token)]).toEqual([
        false,
        { kind: 'refused', cause: 'unknown' },
      ]);
    expect(state.asked).toBe(before);
  });
});

describe('an issuer', () => {
  it('that is away makes its tokens neither good nor bad, and is not asked at the rate of callers', async () => {
    const errors: unknown[] = [];
    const tokens = open(errors);
    const token = await sign();
    state.status = 503;
    const before = state.asked;
    try {
      for (let nth = 0; nth < 20; nth += 1)
        expect(await tokens.verify(token)).toEqual({ kind: 'refused', cause: 'unavailable' });
      expect(state.asked - before).toBe(1);
      expect(JSON.stringify(errors)).not.toContain(token);
    } finally {
      state.status = 200;
    }
  });

  it('whose metadata name another issuer is not believed', async () => {
    state.named = 'https://evil.example';
    try {
      expect(await open().verify(await sign())).toEqual({ kind: 'refused', cause: 'unavailable' });
    } finally {
      state.named = undefined;
    }
  });
});

describe('the actor', () => {
  it.each([
    ['a UUID', '7d8a0c0e-0b4e-4c5c-9d53-0f6f0a3b7f11', 'oidc:acme:7d8a0c0e-0b4e-4c5c-9d53-0f6f0a3b7f11'],
    ['an address', 'olga@acme.example', /^oidc:acme:sha256-[0-9a-f]{32}$/],
    ['a bar', 'auth0|1', /^oidc:acme:sha256-[0-9a-f]{32}$/],
    ['a long text', 'x'.repeat(300), /^oidc:acme:sha256-[0-9a-f]{32}$/],
    ['a newline', 'olga\n', /^oidc:acme:sha256-[0-9a-f]{32}$/],
    ['what looks like a hash', `sha256-${'0'.repeat(32)}`, /^oidc:acme:sha256-(?!0{32})[0-9a-f]{32}$/],
  ])('of %s fits the audit log, and is another for each subject', (_what, subject, actor) => {
    expect(oidcActor('acme', subject)).toEqual(
      actor instanceof RegExp ? expect.stringMatching(actor) : actor,
    );
    expect(oidcActor('acme', subject)).not.toBe(oidcActor('other', subject));
  });
});

describe('the file', () => {
  it.each([
    ['an issuer by plain HTTP', ['issuer: ', 'issuer: http://acme.example #'], /https/],
    ['a client as audience', ['audience: dormouse-operators', 'audience: cli'], /ID tokens/],
    ['an unknown role', ['admins: admin', 'admins: root'], /viewer, operator, approver, admin/],
    ['no client', ['clients: [cli]', 'clients: []'], /clients/],
    ['an unknown field', ['alias: acme', 'alias: acme\n    secret: x'], /secret/],
    ['an alias with capitals', ['alias: acme', 'alias: Acme'], /alias/],
  ])('with %s is refused with its line', (_what, [from = '', to = ''], message) => {
    expect(() => parseOperatorsFile(file().replace(from, to), 'operators.yaml')).toThrow(ConfigError);
    expect(() => parseOperatorsFile(file().replace(from, to), 'operators.yaml')).toThrow(message);
  });
});
