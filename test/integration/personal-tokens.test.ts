/** Personal access tokens in apps: real PostgreSQL, the role of an app, Fastify and Express, and one clock that a test moves. */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import express from 'express';
import Fastify from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { ConfigError } from '../../src/config.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { formatPersonalToken } from '../../src/domain/tokens/personal-token.js';
import { requireToken, tokenRoutes } from '../../src/middleware/personal-tokens/express.js';
import {
  PersonalTokens,
  personalTokenRoutes,
  personalTokens,
} from '../../src/middleware/personal-tokens/fastify.js';
import type { PersonalTokensOptions } from '../../src/middleware/personal-tokens/options.js';
import { PersonalTokenRoutes } from '../../src/middleware/personal-tokens/route-table.js';
import { readToken } from '../../src/tokens/personal/personal-tokens-table.js';
import { portOf } from '../middleware/support.js';
import { type AppDatabase, openAppDatabase } from '../support/app-database.js';
import { closedPort, startWire } from '../support/fault-tcp.js';
import { publish } from '../support/publish.js';
import { until } from '../support/until.js';

const day = 86_400_000;
const policy = { scopes: ['repo:read', 'repo:write'] };

let database: AppDatabase;
let aheadMs = 0;
const now = () => Date.now() + aheadMs;
const open: { close(): Promise<unknown> }[] = [];
const signs: { identityId: string; kind: unknown; at: unknown }[] = [];
const log: Record<string, unknown>[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  database = await openAppDatabase();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  aheadMs = 0;
  for (const list of [signs, log, errors]) list.length = 0;
});
afterAll(() => database.close());

function options(more: Partial<PersonalTokensOptions> = {}): PersonalTokensOptions {
  return {
    ...{ postgresUrl: database.appUrl, policy, clock: now, cacheMs: 60_000 },
    dormouse: {
      noteActivity: (identityId, sign) => {
        signs.push({ identityId: String(identityId), kind: sign?.kind, at: sign?.at });
      },
    },
    log: (fields) => log.push({ ...fields }),
    onError: (error) => errors.push(error),
    ...more,
  };
}

async function instance(more: Partial<PersonalTokensOptions> = {}): Promise<PersonalTokens> {
  const tokens = new PersonalTokens(options(more));
  open.push(tokens);
  await tokens.ready();
  return tokens;
}

async function made(tokens: PersonalTokens, request: object = {}, identityId: string = randomUUID()) {
  const outcome = await tokens.create({ identityId }, { name: 'laptop', ...request });
  if (outcome.kind !== 'issued') throw new Error(`no token: ${outcome.kind}`);
  return { identityId, token: outcome.issued.token, tokenId: outcome.issued.stored.tokenId };
}

async function stand(identityId: string, stage: string, blockedBy: string | null = null): Promise<void> {
  await database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, blocked_by)
     VALUES ($1, $2, now(), now(), '{}', 1, now(), $3)
     ON CONFLICT (identity_id) DO UPDATE SET stage = $2, blocked_by = $3`,
    [identityId, stage, blockedBy],
  );
}

describe('a token', () => {
  test('that was just created is live, in any zone', async () => {
    const tokens = await instance({ clock: () => Date.parse('2026-03-01T01:00:00+05:30') });
    const { token, identityId, tokenId } = await made(tokens, { scopes: ['repo:read'] });
    expect(await tokens.check(token)).toEqual({
      kind: 'live',
      token: {
        ...{ identityId, tokenId, type: 'personal', scopes: ['repo:read'], expiresAt: null },
        inactiveAt: Date.parse('2027-03-01T01:00:00+05:30'),
      },
    });
  });

  test('that is malformed is refused without a query', async () => {
    const tokens = await instance();
    const { token } = await made(tokens);
    for (const text of [
      '',
      'dmp_',
      token.slice(0, -1),
      `${token.slice(0, -1)}!`,
      `x${token}`,
      'é'.repeat(53),
    ]) {
      expect(await tokens.check(text)).toEqual({ kind: 'refused', why: 'malformed' });
    }
    expect(tokens.counters().queries).toBe(0);
    expect(JSON.stringify(log)).not.toContain(token.slice(4, 20));
  });

  test('that is named by no id is nobody’s: no failure of PostgreSQL', async () => {
    const tokens = await instance();
    const holder = { identityId: randomUUID() };
    expect([await tokens.rotate(holder, 'x'), await tokens.revoke(holder, 'x')]).toEqual([
      { kind: 'none' },
      false,
    ]);
  });

  test('is refused all the same where the log fails', async () => {
    const failing = () => {
      throw new Error('the log is full');
    };
    const tokens = await instance({ log: failing });
    expect(await tokens.check('dmp_')).toEqual({ kind: 'refused', why: 'malformed' });
    expect(errors).toEqual([new Error('the log is full')]);
  });

  test('that was never made is refused as unknown', async () => {
    const tokens = await instance();
    const token = formatPersonalToken('dmp', randomBytes(32));
    expect(await tokens.check(token)).toEqual({ kind: 'refused', why: 'unknown' });
    expect(log).toEqual([{ category: 'SECURITY', event: 'personal_token_refused', why: 'unknown' }]);
  });

  test('whose checksum begins with 0 is live', async () => {
    const bytes = Array.from({ length: 200 }, (_, nth) => Buffer.alloc(32, nth)).find(
      (random) => formatPersonalToken('dmp', random).at(-6) === '0',
    );
    if (bytes === undefined) throw new Error('none of 200 begins with 0');
    const tokens = await instance({ random: () => bytes });
    const { token } = await made(tokens);
    expect(token.at(-6)).toBe('0');
    expect((await tokens.check(token)).kind).toBe('live');
  });

  test('lacking a scope is refused with what is missing, and that use does not count', async () => {
    const tokens = await instance();
    const { token, tokenId } = await made(tokens, { scopes: ['repo:read'] });
    expect(await tokens.check(token, { scopes: ['repo:read', 'repo:write'] })).toEqual({
      kind: 'insufficient-scope',
      missing: ['repo:write'],
    });
    await tokens.flush();
    expect((await readToken(database.pool, tokenId))?.lastUsedAt).toBeUndefined();
    expect(signs).toEqual([]);
  });

  test('that ended for inactivity is refused, and trying it does not bring it back', async () => {
    const tokens = await instance();
    const { token, tokenId, identityId } = await made(tokens);
    aheadMs = 364 * day;
    expect((await tokens.check(token)).kind).toBe('live');
    aheadMs = 364 * day + 365 * day + 1_000;
    for (let round = 0; round < 3; round += 1) {
      expect(await tokens.check(token)).toEqual({ kind: 'refused', why: 'inactive' });
    }
    expect(log.at(-1)).toEqual({
      ...{ category: 'SECURITY', event: 'personal_token_refused', why: 'inactive' },
      ...{ tokenId, identityId, rule: 'inactive' },
    });
    await tokens.flush();
    const used = (await readToken(database.pool, tokenId))?.lastUsedAt ?? 0;
    expect(Math.round((used - Date.now()) / day)).toBe(364);
    expect(signs).toHaveLength(1);
  });

  test('in constant use stays live, whatever PostgreSQL was told so far', async () => {
    const tokens = await instance();
    const { token } = await made(tokens);
    for (let month = 1; month <= 36; month += 1) {
      aheadMs = month * 30 * day;
      expect((await tokens.check(token)).kind).toBe('live');
    }
    expect(tokens.counters().queries).toBe(1);
  });
});

describe('500 requests of one token at once', () => {
  test('are one query, one write, and signs of life of kind token', async () => {
    const tokens = await instance();
    const { token, tokenId, identityId } = await made(tokens);
    const checks = await Promise.all(Array.from({ length: 500 }, () => tokens.check(token)));
    expect(new Set(checks.map(({ kind }) => kind))).toEqual(new Set(['live']));
    await tokens.flush();
    expect(tokens.counters()).toEqual({ queries: 1, writes: 1 });
    expect((await readToken(database.pool, tokenId))?.lastUsedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(signs).toHaveLength(500);
    expect(signs[0]).toMatchObject({ identityId, kind: 'token' });
  });

  test('while last uses can’t be written are all served, and the outage is told', async () => {
    const tokens = await instance();
    const { token } = await made(tokens);
    await tokens.check(token);
    await database.pool.query('BEGIN; ALTER TABLE personal_token RENAME COLUMN last_used_at TO away; COMMIT');
    try {
      const checks = await Promise.all(Array.from({ length: 500 }, () => tokens.check(token)));
      expect(new Set(checks.map(({ kind }) => kind))).toEqual(new Set(['live']));
      await tokens.flush();
      expect(errors).toHaveLength(1);
    } finally {
      await database.pool.query('ALTER TABLE personal_token RENAME COLUMN away TO last_used_at');
    }
    await tokens.flush();
    expect(tokens.counters().writes).toBe(2);
  });
});

test('a client that throws fails no request', async () => {
  const tokens = await instance({
    dormouse: {
      noteActivity: () => {
        throw new Error('full');
      },
    },
  });
  const { token } = await made(tokens);
  expect((await tokens.check(token)).kind).toBe('live');
  expect(errors).toHaveLength(1);
});

describe('two instances', () => {
  test('agree on a revocation at once', async () => {
    const [one, other] = [await instance(), await instance()];
    const { token, tokenId, identityId } = await made(one);
    expect((await other.check(token)).kind).toBe('live');
    expect(await one.revoke({ identityId }, tokenId)).toBe(true);
    expect(await one.check(token)).toEqual({ kind: 'refused', why: 'revoked' });
    await until(
      'the other instance hears of the revocation',
      async () => (await other.check(token)).kind === 'refused',
    );
  });

  test('agree on a rotation: the new token is live, the old one is not', async () => {
    const [one, other] = [await instance(), await instance()];
    const { token, tokenId, identityId } = await made(one);
    await other.check(token);
    const rotated = await one.rotate({ identityId }, tokenId);
    if (rotated.kind !== 'issued') throw new Error('not rotated');
    expect(await one.check(token)).toEqual({ kind: 'refused', why: 'rotated' });
    expect((await other.check(rotated.issued.token)).kind).toBe('live');
    await until(
      'the other instance hears of the rotation',
      async () => (await other.check(token)).kind === 'refused',
    );
  });
});

describe('the owner', () => {
  test('who is deactivated loses all tokens at once, and has them back with the account', async () => {
    const tokens = await instance();
    const { token, identityId } = await made(tokens);
    await stand(identityId, 'active');
    expect((await tokens.check(token)).kind).toBe('live');
    await stand(identityId, 'deactivated');
    await until('the token is refused', async () => (await tokens.check(token)).kind === 'refused');
    expect(log.at(-1)).toMatchObject({ why: 'owner', identityId });
    await stand(identityId, 'active');
    await until('the token is live again', async () => (await tokens.check(token)).kind === 'live');
  });

  test('whom the engine finds disabled at its first look loses all tokens at once', async () => {
    const tokens = await instance();
    const { token, identityId } = await made(tokens);
    expect((await tokens.check(token)).kind).toBe('live');
    await stand(identityId, 'active', 'disabled-by-admin');
    await until('the token is refused', async () => (await tokens.check(token)).kind === 'refused', {
      timeoutMs: 10_000,
    });
  });

  test.each([
    ['suspended', null, 'live'],
    ['revoked', null, 'live'],
    ['active', 'disabled-by-admin', 'refused'],
    ['deleted', null, 'refused'],
  ])('who is %s, blocked by %s: %s', async (stage, blockedBy, kind) => {
    const tokens = await instance();
    const { token, identityId } = await made(tokens);
    await stand(identityId, stage, blockedBy);
    expect((await tokens.check(token)).kind).toBe(kind);
  });

  test.each(['exempt', 'hold'])('who is spared by %s keeps a token that nobody uses', async (blockedBy) => {
    const tokens = await instance();
    const { token, identityId } = await made(tokens);
    await stand(identityId, 'active', blockedBy);
    aheadMs = 900 * day;
    expect((await tokens.check(token)).kind).toBe('live');
  });
});

describe('a request that can not be judged says what is wrong', () => {
  const create = async (tokens: PersonalTokens, identityId: string = randomUUID()) => {
    const { status, body } = await new PersonalTokenRoutes(tokens, ['https://app.example']).handle({
      ...{ method: 'POST', route: '', body: { name: 'laptop' }, holder: { identityId } },
      headers: { 'x-dormouse-request': '1', origin: 'https://app.example' },
    });
    return [status, (body as { error?: string }).error];
  };
  const begun = (more: Partial<PersonalTokensOptions>) => {
    const tokens = new PersonalTokens(options(more));
    open.push(tokens);
    return tokens;
  };

  test('500 no_policy: the policy was never published', async () => {
    const tokens = begun({ policy: { published: `never-${randomUUID().slice(0, 8)}` } });
    await tokens.refresh();
    expect(await create(tokens)).toEqual([500, 'no_policy']);
  });

  test('503 policy_not_read: PostgreSQL was away from the start', async () => {
    const tokens = begun({
      postgresUrl: `postgres://app@127.0.0.1:${await closedPort()}/none`,
      policy: { published: 'pat' },
    });
    await tokens.refresh();
    expect(await create(tokens)).toEqual([503, 'policy_not_read']);
  });

  test('410 owner_deleted: the person was buried', async () => {
    const identityId = randomUUID();
    await buryIdentity(database.pool, identityId, undefined, Date.now());
    expect(await create(await instance(), identityId)).toEqual([410, 'owner_deleted']);
  });
});

describe('an owner whose roles have changed', () => {
  const ceilings = {
    ...policy,
    inactive: '365d',
    roles: { admin: { inactive: '90d', longestLifetime: '30d' } },
  };
  const begin = async (roles: readonly string[]) => {
    const tokens = await instance({ policy: ceilings });
    const holder = { identityId: randomUUID(), roles };
    const outcome = await tokens.create(holder, { name: 'laptop' });
    if (outcome.kind !== 'issued') throw new Error(outcome.kind);
    return { tokens, holder, ...outcome.issued };
  };

  test('to admin: a token of before is under the ceiling of admins, at the next look and at rotation', async () => {
    const { tokens, holder, token, stored } = await begin([]);
    aheadMs = 20 * day;
    await tokens.followRoles({ ...holder, roles: ['admin'] });
    expect(await tokens.check(token, { counts: false })).toMatchObject({
      token: { expiresAt: stored.createdAt + 30 * day },
    });
    const rotated = await tokens.rotate({ ...holder, roles: ['admin'] }, stored.tokenId);
    if (rotated.kind !== 'issued') throw new Error(rotated.kind);
    expect(rotated.issued.stored.roles).toEqual(['admin']);
    const { expiresAt, createdAt } = rotated.issued.stored;
    expect(expiresAt).toBe(createdAt + 30 * day);
  });

  test('to admin after the ceiling: the rotation is refused, and the token too', async () => {
    const { tokens, holder, token, stored } = await begin([]);
    aheadMs = 31 * day;
    expect(await tokens.rotate({ ...holder, roles: ['admin'] }, stored.tokenId)).toEqual({ kind: 'none' });
    expect((await tokens.check(token)).kind).toBe('refused');
  });

  test('unknown to whoever asks: they stay as they were', async () => {
    const { tokens, holder, stored } = await begin(['admin']);
    const rotated = await tokens.rotate({ identityId: holder.identityId }, stored.tokenId);
    expect(rotated).toMatchObject({ issued: { stored: { roles: ['admin'] } } });
  });
});

describe('the policy', () => {
  test('that is published is read again, and counts for tokens that exist', async () => {
    const text = (personal: string) => `id: pat
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { personal: ${personal} }
`;
    await publish(database.pool, text('{}'));
    const tokens = await instance({ policy: { published: 'pat' } });
    const { token, tokenId } = await made(tokens);
    expect((await readToken(database.pool, tokenId))?.policyId).toBe('pat');
    aheadMs = 60 * day;
    expect((await tokens.check(token, { counts: false })).kind).toBe('live');
    await publish(database.pool, text('{ inactive: 60d }'));
    await tokens.refresh();
    expect(await tokens.check(token)).toEqual({ kind: 'refused', why: 'inactive' });
  });

  test('without the section, or with a wrong field, is refused at the start', async () => {
    await publish(
      database.pool,
      'id: none\nladder: { warn: { after: 30d } }\nrecheck: 1d\nretry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }\n',
    );
    const tokens = new PersonalTokens(options({ policy: { published: 'none' } }));
    open.push(tokens);
    await expect(tokens.ready()).rejects.toThrow(/"none" has no section "tokens.personal"/);
    expect(() => new PersonalTokens(options({ policy: { inactive: '30s' } }))).toThrow(ConfigError);
  });
});

test('without PostgreSQL nobody gets in unjudged, and afterwards everybody does again', async () => {
  const through = new URL(database.appUrl);
  const wire = await startWire({ host: through.hostname, port: Number(through.port) });
  through.port = String(wire.port);
  const tokens = await instance({ postgresUrl: through.href, cacheMs: 1, policyMs: 100 });
  const { token } = await made(tokens);
  wire.freeze();
  await until('a refusal', async () => (await tokens.check(token)).kind === 'unavailable');
  expect(log.at(-1)).toEqual({ category: 'SECURITY', event: 'personal_token_refused', why: 'unavailable' });
  wire.replace();
  await until('the token is live again', async () => (await tokens.check(token)).kind === 'live');
  await tokens.close();
  open.splice(0);
  await wire.close();
});

interface App {
  readonly url: string;
  readonly tokens: PersonalTokens;
}

async function fastifyApp(): Promise<App> {
  const app = Fastify();
  open.push(app);
  await app.register(personalTokens, options());
  const tokens = app.personalTokens;
  await app.register(personalTokenRoutes, {
    tokens,
    holder: ({ headers }) => holderOf(headers['x-who']),
  });
  app.get('/repos', { config: { personalToken: { scopes: ['repo:read'] } } }, (request) => ({
    who: request.personalToken?.identityId,
  }));
  app.get('/forbidden', (_request, reply) => reply.code(403).send({}));
  app.get('/either', { config: { personalToken: { optional: true } } }, (request) => ({
    who: request.personalToken?.identityId ?? 'the app decides',
  }));
  app.get('/open', { config: { personalToken: false } }, () => ({ who: 'anybody' }));
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), tokens };
}

async function expressApp(): Promise<App> {
  const tokens = await instance();
  const app = express();
  app.use('/personal-tokens', tokenRoutes(tokens, { holder: ({ headers }) => holderOf(headers['x-who']) }));
  const who = (request: unknown) =>
    (request as { personalToken?: { identityId: string } | null }).personalToken;
  app.get('/repos', requireToken(tokens, { scopes: ['repo:read'] }), (request, response) => {
    response.json({ who: who(request)?.identityId });
  });
  app.get('/forbidden', requireToken(tokens), (_request, response) => {
    response.status(403).json({});
  });
  app.get('/either', requireToken(tokens, { optional: true }), (request, response) => {
    response.json({ who: who(request)?.identityId ?? 'the app decides' });
  });
  app.get('/open', (_request, response) => {
    response.json({ who: 'anybody' });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()) });
  return { url: `http://127.0.0.1:${portOf(server)}`, tokens };
}

function holderOf(who: unknown) {
  return typeof who === 'string' ? { identityId: who } : undefined;
}

interface Listed {
  readonly token: string;
  readonly id: string;
  readonly error: string;
  readonly field: string;
  readonly tokens: readonly Listed[];
}

describe.each([
  ['Fastify', fastifyApp],
  ['Express', expressApp],
])('%s', (_name, start) => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  async function begin() {
    const { url, tokens } = await start();
    const who = randomUUID();
    const ask = async (
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ) => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...{ 'x-who': who, 'x-dormouse-request': '1', origin: url, 'content-type': 'application/json' },
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: JSON.parse(text || '{}') as Listed };
    };
    return { url, tokens, who, ask };
  }

  test('a token opens the routes of its scopes', async () => {
    const { url, who, ask, tokens } = await begin();
    const created = await ask('POST', '/personal-tokens', { name: 'laptop', scopes: ['repo:read'] });
    expect(created.status).toBe(201);
    expect(created.headers.get('cache-control')).toBe('no-store');
    const answer = await fetch(`${url}/repos`, { headers: bearer(created.body.token) });
    expect([answer.status, await answer.json()]).toEqual([200, { who }]);
    await until('the use is noted', () => signs.length > 0);
    expect(signs).toMatchObject([{ identityId: who, kind: 'token' }]);
    await tokens.flush();
    expect(tokens.counters().writes).toBe(1);
  });

  test('no token, a wrong one, and one without the scope are answered as RFC 6750 says', async () => {
    const { url, ask } = await begin();
    const { body } = await ask('POST', '/personal-tokens', { name: 'laptop', scopes: ['repo:write'] });
    const asked = async (headers: Record<string, string>) => {
      const answer = await fetch(`${url}/repos`, { headers });
      return [answer.status, answer.headers.get('www-authenticate'), (await answer.json()) as unknown];
    };
    expect(await asked({})).toEqual([401, 'Bearer realm="app"', { error: 'no_token' }]);
    const invalid = [401, 'Bearer realm="app", error="invalid_token"', { error: 'invalid_token' }];
    expect(await asked(bearer('dmp_x'))).toEqual(invalid);
    expect(await asked(bearer(formatPersonalToken('dmp', randomBytes(32))))).toEqual(invalid);
    expect(await asked(bearer(body.token))).toEqual([
      403,
      'Bearer realm="app", error="insufficient_scope", scope="repo:read"',
      { error: 'insufficient_scope', scope: 'repo:read' },
    ]);
  });

  test('a use that the app itself forbids does not count', async () => {
    const { url, ask, tokens } = await begin();
    const { body } = await ask('POST', '/personal-tokens', { name: 'laptop', scopes: ['repo:read'] });
    expect((await fetch(`${url}/forbidden`, { headers: bearer(body.token) })).status).toBe(403);
    // The next answer is handled after that one.
    await fetch(`${url}/repos`, { headers: bearer(body.token) });
    await until('the use is noted', () => signs.length > 0);
    await tokens.flush();
    expect(signs).toHaveLength(1);
  });

  test('where a token is optional, only one of our own form is judged', async () => {
    const { url } = await begin();
    const asked = async (headers: Record<string, string>) =>
      (await fetch(`${url}/either`, { headers })).status;
    expect(await asked({})).toBe(200);
    expect(await asked(bearer('ory_at_x'))).toBe(200);
    expect(await asked(bearer('dmp_x'))).toBe(401);
    expect((await fetch(`${url}/open`)).status).toBe(200);
  });

  test('a list shows what the policy says, and no token', async () => {
    const { ask, tokens, who } = await begin();
    const { body } = await ask('POST', '/personal-tokens', { name: 'Zoë’s laptop' });
    const listed = await ask('GET', '/personal-tokens');
    expect(listed.body).toMatchObject({
      types: [
        {
          type: 'personal',
          inactive: '365d',
          longestLifetime: 'unlimited',
          scopes: ['repo:read', 'repo:write'],
        },
      ],
      tokens: [{ id: body.id, name: 'Zoë’s laptop', state: 'live', lastUsedAt: null, expiresAt: null }],
    });
    expect(JSON.stringify(listed.body)).not.toContain(body.token);
    expect(await tokens.list(who)).toHaveLength(1);
  });

  test('a rotation and a revocation are the person’s own alone', async () => {
    const { ask, tokens } = await begin();
    const { body } = await ask('POST', '/personal-tokens', { name: 'laptop' });
    const stranger = { 'x-who': randomUUID() };
    for (const [method, path] of [
      ['POST', `/personal-tokens/${body.id}/rotate`],
      ['DELETE', `/personal-tokens/${body.id}`],
    ] as const) {
      expect((await ask(method, path, undefined, stranger)).status).toBe(404);
    }
    const rotated = await ask('POST', `/personal-tokens/${body.id}/rotate`);
    expect([rotated.status, (await tokens.check(body.token)).kind]).toEqual([201, 'refused']);
    expect((await tokens.check(rotated.body.token)).kind).toBe('live');
    expect((await ask('DELETE', `/personal-tokens/${rotated.body.id}`)).status).toBe(204);
    expect((await tokens.check(rotated.body.token)).kind).toBe('refused');
    expect((await ask('DELETE', `/personal-tokens/${rotated.body.id}`)).status).toBe(404);
    expect((await ask('GET', '/personal-tokens')).body.tokens).toEqual([]);
  });

  test('a change without a session, or from another origin, changes nothing', async () => {
    const { url, ask, tokens, who } = await begin();
    const nobody = await fetch(`${url}/personal-tokens`, { method: 'POST', body: '{"name":"x"}' });
    expect(nobody.status).toBe(401);
    const foreign = { origin: 'https://evil.example' };
    expect((await ask('POST', '/personal-tokens', { name: 'x' }, foreign)).status).toBe(403);
    expect((await ask('POST', '/personal-tokens', { name: 'x' }, { 'x-dormouse-request': '0' })).status).toBe(
      403,
    );
    expect(await tokens.list(who)).toEqual([]);
  });

  test.each([
    ['{"name":""}', 'name', 400],
    ['{}', 'name', 400],
    ['{"name":"a","scopes":["admin"]}', 'scopes', 400],
    ['{"name":"a","scopes":"repo:read"}', 'scopes', 400],
    ['{"name":"a","type":"other"}', 'type', 400],
    ['{"name":"a","expiresAt":"2099-01-01T00:00:00"}', 'expiresAt', 400],
    ['{"name":"a","expiresAt":"2020-01-01T00:00:00Z"}', 'expiresAt', 400],
    ['{"name":"a","identityId":"x"}', 'body', 400],
    ['{"name":"a","name":"b"}', 'body', 400],
    ['[', 'body', 400],
    [`{"name":"${'a'.repeat(9_000)}"}`, undefined, 413],
  ])('%.60s is refused by field', async (body, field, status) => {
    const { ask, tokens, who } = await begin();
    const answer = await ask('POST', '/personal-tokens', body);
    expect([answer.status, answer.body.field]).toEqual([status, field]);
    expect(await tokens.list(who)).toEqual([]);
  });

  test.each([
    ['PUT', '', 405],
    ['GET', '/7', 404],
    ['DELETE', '/7', 404],
    ['GET', `/${randomUUID()}`, 405],
    ['POST', `/${randomUUID()}/rotate`, 404],
    ['POST', `/${randomUUID()}/steal`, 404],
    ['POST', `/${randomUUID()}/rotate/x`, 404],
  ])('%s %s is answered %i', async (method, path, status) => {
    const { ask } = await begin();
    expect((await ask(method, `/personal-tokens${path}`)).status).toBe(status);
  });

  test('what was done is in the audit log, and the token is not', async () => {
    const { ask, who } = await begin();
    const { body } = await ask('POST', '/personal-tokens', { name: 'laptop' });
    await ask('DELETE', `/personal-tokens/${body.id}`);
    const audit = await readAudit(database.pool, who);
    expect(audit.map(({ eventType }) => eventType)).toEqual([
      'personal_token_created',
      'personal_token_revoked',
    ]);
    expect(JSON.stringify([audit, log, errors])).not.toContain(body.token.slice(4, 20));
  });
});
