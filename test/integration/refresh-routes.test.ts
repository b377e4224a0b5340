/** The routes of refresh tokens, as a page and as a native app ask them. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refreshTokens } from '../../src/middleware/refresh-tokens/fastify.js';
import { begin, RefreshServices } from '../support/refresh-services.js';

let services: RefreshServices;
let app: FastifyInstance;
let isMinting = true;
/** Who is signed in, by the name of the session. */
const holders = new Map<string, { identityId: string; familyId?: string }>();

beforeAll(async () => {
  services = await RefreshServices.begin();
  app = Fastify();
  await app.register(refreshTokens, {
    ...services.optionsOf(),
    identify: ({ headers }) => holders.get(String(headers.cookie ?? headers.authorization)),
    mint: ({ identityId }) => {
      if (!isMinting) throw new Error('no signing key');
      return { accessToken: `for ${identityId}`, expiresIn: 600 };
    },
  });
});
beforeEach(() => {
  services.now = begin;
});
afterAll(async () => {
  await app.close();
  await services.close();
});

const page = { host: 'app.example', origin: 'https://app.example', 'x-dormouse-request': '1' };

/** A person with families, signed in by the first of them. */
async function person(families = 2) {
  const identityId = randomUUID();
  const granted = [];
  for (let nth = 0; nth < families; nth += 1) {
    granted.push(await services.signIn(app.refreshTokens, { identityId }));
  }
  const [{ familyId, refreshToken } = { familyId: '', refreshToken: '' }] = granted;
  const cookie = `session=${identityId}`;
  holders.set(cookie, { identityId, familyId });
  return {
    identityId,
    familyId,
    refreshToken,
    ids: granted.map((one) => one.familyId),
    headers: { ...page, cookie },
  };
}

const ask = (
  method: 'GET' | 'POST' | 'DELETE' | 'PUT',
  path: string,
  headers = {},
  payload?: object | string,
) =>
  app.inject({
    method,
    url: `/refresh-tokens${path}`,
    headers: { ...headers, ...(payload !== undefined && { 'content-type': 'application/json' }) },
    ...(payload !== undefined && { payload }),
  });

describe('a person', () => {
  it('sees their families without tokens, and which one this is', async () => {
    const { headers, familyId, ids } = await person();
    const answer = await ask('GET', '', headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    const { families } = answer.json();
    expect(families.map(({ id }: { id: string }) => id).sort()).toEqual([...ids].sort());
    expect(families.find(({ id }: { id: string }) => id === familyId)).toEqual({
      id: familyId,
      clientId: 'web',
      current: true,
      userAgent: 'Browser/1',
      firstAddress: '203.0.113.9',
      lastAddress: '203.0.113.9',
      createdAt: new Date(begin).toISOString(),
    });
  });

  it('revokes one of their own; another’s is not found', async () => {
    const { headers, ids } = await person();
    const other = await person();
    expect((await ask('DELETE', `/${ids[1]}`, headers)).statusCode).toBe(204);
    expect((await ask('DELETE', `/${other.ids[0]}`, headers)).statusCode).toBe(404);
    const { families } = (await ask('GET', '', headers)).json();
    expect(families.map(({ ended }: { ended?: { why: string } }) => ended?.why)).toEqual([
      undefined,
      'by_person',
    ]);
  });

  it('revokes all others, and all', async () => {
    const { headers, familyId } = await person(3);
    expect((await ask('POST', '/revoke-others', headers)).statusCode).toBe(204);
    const live = async () =>
      (await ask('GET', '', headers))
        .json()
        .families.filter(({ ended }: { ended?: object }) => ended === undefined)
        .map(({ id }: { id: string }) => id);
    expect(await live()).toEqual([familyId]);
    expect((await ask('POST', '/revoke-all', headers)).statusCode).toBe(204);
    expect(await live()).toEqual([]);
  });

  it('whose app names no family is told to revoke all', async () => {
    const { headers, identityId } = await person();
    holders.set(headers.cookie, { identityId });
    const answer = await ask('POST', '/revoke-others', headers);
    expect([answer.statusCode, answer.json().error]).toEqual([409, 'family_unknown']);
  });

  it('who is not signed in is answered 401', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', `/${randomUUID()}`],
      ['POST', '/revoke-all'],
    ] as const) {
      expect((await ask(method, path, page)).statusCode).toBe(401);
    }
  });

  it.each<[string, Record<string, string>]>([
    ['without the header', { host: 'app.example', origin: 'https://app.example' }],
    ['from another origin', { ...page, origin: 'https://evil.example' }],
    [
      'from a sibling site',
      { host: 'app.example', 'x-dormouse-request': '1', 'sec-fetch-site': 'same-site' },
    ],
  ])('changes nothing by a request %s', async (_what, headers) => {
    const { headers: own, ids } = await person();
    for (const [method, path] of [
      ['DELETE', `/${ids[1]}`],
      ['POST', '/revoke-others'],
      ['POST', '/revoke-all'],
    ] as const) {
      const answer = await ask(method, path, { ...headers, cookie: own.cookie });
      expect([answer.statusCode, answer.json().error]).toEqual([403, 'cross_origin']);
    }
    expect((await ask('GET', '', own)).json().families).toHaveLength(2);
  });

  it('may use a native app, whose bearer token no browser sends by itself', async () => {
    const { identityId, ids } = await person();
    holders.set('Bearer native', { identityId });
    const answer = await ask('DELETE', `/${ids[0]}`, { authorization: 'Bearer native' });
    expect(answer.statusCode).toBe(204);
  });
});

describe('a token', () => {
  it('is exchanged; one that is not valid is answered 401, whatever the reason', async () => {
    const { refreshToken, identityId } = await person();
    const answer = await ask('POST', '/exchange', {}, { refreshToken });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { accessToken: `for ${identityId}`, expiresIn: 600, refreshToken: expect.stringMatching(/^dmr_/) },
    ]);
    services.now += 3_600_000;
    const bodies = [];
    for (const invalid of ['nonsense', refreshToken, answer.json().refreshToken]) {
      const refused = await ask('POST', '/exchange', {}, { refreshToken: invalid });
      expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ]);
      bodies.push(refused.json());
    }
    expect(bodies).toEqual(Array.from({ length: 3 }, () => ({ error: 'invalid_token' })));
  });

  it('is destroyed by a sign-out', async () => {
    const { refreshToken } = await person();
    expect((await ask('POST', '/sign-out', {}, { refreshToken })).statusCode).toBe(204);
    expect((await ask('POST', '/sign-out', {}, { refreshToken })).statusCode).toBe(204);
    expect((await ask('POST', '/exchange', {}, { refreshToken })).statusCode).toBe(401);
  });

  it('stays as it was when minting fails: 503', async () => {
    const { refreshToken } = await person();
    isMinting = false;
    const failed = await ask('POST', '/exchange', {}, { refreshToken });
    isMinting = true;
    expect([failed.statusCode, failed.json(), failed.headers['retry-after']]).toEqual([
      503,
      { error: 'unavailable' },
      '5',
    ]);
    services.now += 3_600_000;
    expect((await ask('POST', '/exchange', {}, { refreshToken })).statusCode).toBe(200);
  });

  it.each<[string, object | string, number]>([
    ['no token', {}, 400],
    ['a token that is no text', { refreshToken: 5 }, 400],
    ['no JSON', '{', 400],
    ['a field twice', '{"refreshToken":"a","refreshToken":"b"}', 400],
    ['too much', { refreshToken: 'x'.repeat(2_000) }, 413],
  ])('with %s is answered by status', async (_what, body, status) => {
    expect((await ask('POST', '/exchange', {}, body)).statusCode).toBe(status);
  });
});

describe('a route', () => {
  it.each([
    ['GET', '/revoke-all', 405, 'POST'],
    ['PUT', '', 405, 'GET'],
    ['GET', '/nowhere', 404, undefined],
    ['GET', '/__proto__', 404, undefined],
    ['POST', '/toString', 404, undefined],
  ] as const)('%s %s is answered %d', async (method, path, status, allow) => {
    const answer = await ask(method, path, page);
    expect([answer.statusCode, answer.headers.allow]).toEqual([status, allow]);
  });
});
