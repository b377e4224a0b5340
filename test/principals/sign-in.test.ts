/** The desk's sign-in, with an issuer of the test's own that lies, fails and is away. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../src/domain/principals/principal.js';
import { OperatorTokens } from '../../src/principals/operator-tokens.js';
import { parseOperatorsFile } from '../../src/principals/operators-file.js';
import { SignIn, type SignInUnderWay } from '../../src/principals/sign-in.js';

const keys = await generateKeyPair('ES256', { extractable: true });
const foreign = await generateKeyPair('ES256');
const redirectUri = 'http://127.0.0.1:1/desk/signed-in';
let server: Server;
let issuer: string;
/** What the issuer answers with, and what it was sent. */
let answers: {
  idToken: string;
  accessToken: string;
  status: number;
  named: string;
  isAway: boolean;
  raw: string;
};
/** What the log would be told. */
let told: unknown[];
let sent: { body: URLSearchParams; authorization: string | undefined }[];

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.statusCode = answers.isAway ? 503 : 200;
    if (request.url === '/keys') return response.end(JSON.stringify({ keys: [jwk] }));
    if (request.url !== '/token') return response.end(JSON.stringify(metadata()));
    sent.push({
      body: new URLSearchParams(await bodyOf(request)),
      authorization: request.headers.authorization,
    });
    response.statusCode = answers.status;
    if (answers.raw !== '') return response.end(answers.raw);
    const { idToken, accessToken } = answers;
    const tokens = { access_token: accessToken, id_token: idToken, token_type: 'Bearer', expires_in: 60 };
    return response.end(JSON.stringify(answers.status === 200 ? tokens : { error: 'invalid_grant' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  answers = { idToken: '', accessToken: '', status: 200, named: issuer, isAway: false, raw: '' };
  sent = [];
  told = [];
});

const metadata = () => ({
  ...{ issuer: answers.named, jwks_uri: `${issuer}/keys`, token_endpoint: `${issuer}/token` },
  ...{ authorization_endpoint: `${issuer}/authorize`, response_types_supported: ['code'] },
  ...{ id_token_signing_alg_values_supported: ['ES256'], subject_types_supported: ['public'] },
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request) body += String(part);
  return body;
}

function open(secrets: ReadonlyMap<string, string> = new Map()): SignIn {
  const issuers = parseOperatorsFile(
    `issuers:
  - alias: acme
    issuer: ${issuer}
    audience: dormouse-operators
    clients: [desk]
    roles: { leads: approver }
    desk: { client: desk }
  - alias: other
    issuer: https://id.other.example
    audience: dormouse-operators
    clients: [cli]
    roles: {}
`,
    'operators.yaml',
  );
  const tokens = new OperatorTokens(issuers, () => undefined);
  return new SignIn({ issuers, secrets, tokens, redirectUri, onError: (error) => told.push(error) });
}

const seconds = () => Math.floor(Date.now() / 1_000);
const signed = (claims: object, key = keys.privateKey) =>
  new SignJWT({ iss: issuer, sub: 'olga', iat: seconds(), exp: seconds() + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .sign(key);
const idToken = (underWay: SignInUnderWay, more: object = {}, key = keys.privateKey) =>
  signed({ aud: 'desk', nonce: underWay.nonce, ...more }, key);
const accessToken = (more: object = {}) =>
  signed({ aud: 'dormouse-operators', client_id: 'desk', roles: ['leads'], ...more });

async function begin(signIn: SignIn): Promise<SignInUnderWay> {
  const begun = await signIn.begin('acme', false);
  return begun?.underWay ?? expect.fail('the sign-in did not begin');
}

const back = ({ state }: SignInUnderWay) => new URLSearchParams({ code: 'the-code', state });

describe('a sign-in', () => {
  it('gives the scopes of the access token, to whom the ID token names', async () => {
    const signIn = open();
    const underWay = await begin(signIn);
    Object.assign(answers, { idToken: await idToken(underWay), accessToken: await accessToken() });
    const answer = await signIn.end(underWay, back(underWay));
    expect(answer).toMatchObject({
      kind: 'known',
      principal: { actor: 'oidc:acme:olga', owner: 'oidc:acme:olga' },
    });
    expect(answer.kind === 'known' && answer.principal.scopes).toContain('breaker:approve');
  });

  it('sends the challenge first and the verifier with the code, and no secret of a public client', async () => {
    const signIn = open();
    const begun = await signIn.begin('acme', true);
    if (begun === undefined) throw new Error('it did not begin');
    const { url, underWay } = begun;
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{
        client_id: 'desk',
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        prompt: 'login',
      },
      ...{ audience: 'dormouse-operators', state: underWay.state, nonce: underWay.nonce },
      code_challenge: createHash('sha256').update(underWay.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(url.href).not.toContain(underWay.verifier);
    await signIn.end(underWay, back(underWay));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.body.get('code_verifier')).toBe(underWay.verifier);
    expect(sent[0]?.authorization).toBeUndefined();
  });

  it('of a confidential client shows its secret at the token endpoint alone', async () => {
    const signIn = open(new Map([['acme', 'a secret']]));
    const underWay = await begin(signIn);
    await signIn.end(underWay, back(underWay));
    expect(sent[0]?.authorization).toBe(`Basic ${Buffer.from('desk:a+secret').toString('base64')}`);
  });

  it('is another one each time', async () => {
    const signIn = open();
    const [one, other] = [await begin(signIn), await begin(signIn)];
    for (const field of ['state', 'nonce', 'verifier'] as const) expect(one[field]).not.toBe(other[field]);
  });
});

describe('refused is', () => {
  const forgeries: Readonly<Record<string, (underWay: SignInUnderWay) => Promise<string>>> = {
    'another nonce': (underWay) => idToken(underWay, { nonce: 'x' }),
    'no nonce': (underWay) => idToken(underWay, { nonce: undefined }),
    'an ID token for another client': (underWay) => idToken(underWay, { aud: 'cli' }),
    'an ID token of another issuer': (underWay) => idToken(underWay, { iss: 'https://id.evil.example' }),
    'an ID token that has ended': (underWay) => idToken(underWay, { exp: seconds() - 3_600 }),
    'an ID token of a foreign key': (underWay) => idToken(underWay, {}, foreign.privateKey),
    'an ID token of somebody else': (underWay) => idToken(underWay, { sub: 'mallory' }),
    'an unsigned ID token': async ({ nonce }) =>
      new UnsecuredJWT({
        iss: issuer,
        aud: 'desk',
        sub: 'olga',
        nonce,
        iat: seconds(),
        exp: seconds() + 60,
      }).encode(),
    'no ID token': async () => '',
  };

  it.each(Object.entries(forgeries))('%s', async (_name, make) => {
    const signIn = open();
    const underWay = await begin(signIn);
    Object.assign(answers, { idToken: await make(underWay), accessToken: await accessToken() });
    expect(await signIn.end(underWay, back(underWay))).toEqual({ kind: 'refused', cause: 'forged' });
  });

  it('another state, before anything is asked of the issuer', async () => {
    const signIn = open();
    const underWay = await begin(signIn);
    const answer = await signIn.end(underWay, new URLSearchParams({ code: 'the-code', state: 'x' }));
    expect([answer, sent]).toEqual([{ kind: 'refused', cause: 'forged' }, []]);
  });

  it.each([
    ['of another audience', { aud: 'another-api' }, 'token'],
    ['of another client', { client_id: 'cli' }, 'token'],
    ['that lives for a week', { exp: seconds() + 7 * 86_400 }, 'token'],
    ['of somebody without a role', { roles: ['guests'] }, 'role'],
  ])('an access token %s', async (_name, more, cause) => {
    const signIn = open();
    const underWay = await begin(signIn);
    Object.assign(answers, { idToken: await idToken(underWay), accessToken: await accessToken(more) });
    expect(await signIn.end(underWay, back(underWay))).toMatchObject({ kind: 'refused', cause });
  });

  it('an opaque access token', async () => {
    const signIn = open();
    const underWay = await begin(signIn);
    Object.assign(answers, { idToken: await idToken(underWay), accessToken: 'ory_at_opaque' });
    expect(await signIn.end(underWay, back(underWay))).toEqual({ kind: 'refused', cause: 'token' });
  });

  it('a code that the issuer does not take, and a person who declined', async () => {
    const signIn = open();
    const underWay = await begin(signIn);
    answers.status = 400;
    expect(await signIn.end(underWay, back(underWay))).toEqual({ kind: 'refused', cause: 'issuer' });
    const declined = new URLSearchParams({ error: 'access_denied', state: underWay.state });
    expect(await signIn.end(underWay, declined)).toEqual({ kind: 'refused', cause: 'issuer' });
  });

  it('an issuer that is not known, or has no desk', async () => {
    const signIn = open();
    expect(signIn.aliases).toEqual(['acme']);
    for (const alias of ['other', 'nobody', '__proto__'])
      expect(await signIn.begin(alias, false)).toBeUndefined();
    const underWay = { ...(await begin(signIn)), alias: 'other' };
    expect(await signIn.end(underWay, back(underWay))).toEqual({ kind: 'refused', cause: 'forged' });
  });
});

describe('the log', () => {
  const lines = () => {
    const written: string[] = [];
    const log = pino({}, { write: (line: string) => written.push(line) });
    for (const err of told) log.warn({ err });
    return written.join('');
  };

  it.each([
    [400, { error: 'invalid_grant', error_description: 'bob@example.com is away' }, 'invalid_grant'],
    [200, { access_token: 'bob@example.com', token_type: 7 }, 'ClientError'],
    [200, 'bob@example.com', 'ClientError'],
  ])('is told the kind of a failure, and nothing of an answer %i %j', async (status, answer, kind) => {
    const signIn = open();
    const underWay = await begin(signIn);
    Object.assign(answers, { status, raw: typeof answer === 'string' ? answer : JSON.stringify(answer) });
    expect((await signIn.end(underWay, back(underWay))).kind).toBe('refused');
    expect(lines()).toContain(kind);
    expect(lines()).not.toContain('bob');
  });
});

describe('a session that began earlier', () => {
  const principal = (actor: string, scopes: Principal['scopes']) => ({ actor, owner: actor, scopes });

  it('keeps what a role of the file still gives', () => {
    const kept = principal('oidc:acme:olga', ['standing:read', 'breaker:approve']);
    expect(open().stillGiven(kept)).toEqual(kept);
  });

  it('loses the scopes that no role of the file gives any more', () => {
    const admin = principal('oidc:acme:olga', ['standing:read', 'policy:publish', 'credentials:manage']);
    expect(open().stillGiven(admin)?.scopes).toEqual(['standing:read']);
  });

  it.each([
    'oidc:other:olga',
    'oidc:gone:olga',
    'oidc:__proto__:olga',
    'config:service',
    'credential:acme',
  ])('of %s is over: nobody signs in there', (actor) =>
    expect(open().stillGiven(principal(actor, ['standing:read']))).toBeUndefined());
});

describe('an issuer', () => {
  it('that is away is asked again by the next person', async () => {
    const signIn = open();
    answers.isAway = true;
    expect(await signIn.begin('acme', false)).toBeUndefined();
    answers.isAway = false;
    expect(await signIn.begin('acme', false)).toBeDefined();
  });

  it('whose metadata names another one is not taken', async () => {
    answers.named = 'https://id.evil.example';
    expect(await open().begin('acme', false)).toBeUndefined();
  });
});
