/** Who may call which route of the gateway: every route has one scope or is declared open, and each credential does what it may, no more. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { type RouteScope, routeScopes } from '../../src/domain/principals/scopes.js';
import { createGateway } from '../../src/gateway/server.js';
import { accessOfRoutes, type RouteAccess } from '../../src/http/access.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { createPool } from '../../src/postgres/pool.js';
import { readCredentials, revokeCredential } from '../../src/principals/credentials-table.js';
import { CredentialDirectory } from '../../src/principals/directory.js';
import { createCredential, rotateCredential } from '../../src/principals/issue.js';
import { refusalsTo } from '../../src/principals/refusals.js';
import { closedPort } from '../support/fault-tcp.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { fresh, unknownId } from '../support/system-outside.js';
import { until } from '../support/until.js';

const stack = inject('stack');
const pool = createPool({ url: stack.postgres.runtimeUrl });
const lines: string[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
const fail = (error: unknown) => {
  throw error;
};
const directory = new CredentialDirectory({
  ...{ pool, postgresUrl: stack.postgres.runtimeUrl, onError: fail },
  // Far longer than this file runs: what it hears, it hears by notifications.
  ...{ pollMs: 600_000, staleMs: 600_000 },
});
const refusals = refusalsTo(pool, fail);
let gateway: TestGateway;
const routes: { method: string; url: string; access: RouteAccess | undefined }[] = [];

const issuer = 'https://dormouse.example.com';
const securityEvents = {
  streams: { issuer, subjectIssuer: issuer, receivers: [] },
  keys: [generateSigningKey('ed25519')],
};

beforeAll(async () => {
  await directory.start();
  const rateLimits = { refusedPerMinute: 10_000 };
  gateway = await listenGateway({
    stack,
    log,
    more: { credentials: directory, refusals, securityEvents, rateLimits },
  });
  const declared = accessOfRoutes(gateway.server);
  for (const { method, path } of routesOf(gateway.server.printRoutes({ commonPrefix: false })))
    routes.push({ method, url: path, access: declared.get(`${method} ${path}`) });
});
afterAll(async () => {
  await gateway.close();
  await directory.close();
  await refusals.close();
  await pool.end();
});

/** Every route that Fastify itself knows. */
function routesOf(tree: string): { method: string; path: string }[] {
  const found: { method: string; path: string }[] = [];
  const parents: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', methods = ''] =
      /^([│├└─\s]*)(\S+)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? [];
    if (part === '') continue;
    parents.length = Math.max(0, indent.length / 4 - 1);
    parents.push(part);
    for (const method of methods.split(', ').filter((name) => name !== ''))
      found.push({ method, path: parents.join('') });
  }
  return found;
}

/** Makes a credential that this gateway knows. */
async function credential(
  scopes: readonly string[],
  more: object = {},
): Promise<{ name: string; secret: string }> {
  const name = fresh('c').toLowerCase();
  const request = { name, owner: 'olga', scopes, networks: [], actor: 'olga', ...more };
  const secret = await createCredential(pool, request);
  await until(
    'the gateway knows it',
    async () => (await call('GET', '/openapi.json', secret)).status !== 401 || isForeign(more),
  );
  return { name, secret };
}
const isForeign = (more: object) => 'networks' in more;

async function call(
  method: string,
  path: string,
  secret: string,
  body?: unknown,
  more: Record<string, string> = {},
) {
  const url = new URL(path.replace(':id', randomUUID()).replace(':provider', 'ses'), gateway.url);
  const answer = await fetch(url, {
    method,
    headers: {
      ...(secret !== '' && { authorization: `Bearer ${secret}`, 'x-dormouse-hook-key': secret }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...more,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text };
}

const scopedRoutes = () =>
  routes.flatMap(({ method, url, access }) =>
    access !== undefined && 'scope' in access ? [{ method, url, scope: access.scope }] : [],
  );

describe('every route', () => {
  it('declares one scope, or why it is open', () => {
    expect(routes.length).toBeGreaterThan(30);
    for (const { method, url, access } of routes) expect(access, `${method} ${url}`).toBeDefined();
    const open = routes
      .filter(({ access }) => access !== undefined && 'open' in access)
      .map(({ url }) => url);
    expect([...new Set(open)].sort()).toEqual([
      '/.well-known/jwks.json',
      '/.well-known/ssf-configuration',
      '/account/keep/:token',
      '/account/reactivate',
      '/account/reactivate/:token',
      '/account/unsubscribe/:token',
      '/healthz',
      '/v1/sign-in',
    ]);
  });

  it('that declares nothing can not be registered', async () => {
    const server = await createGateway({
      dormouse: gateway.dormouse,
      serviceTokens: [],
      log: pino({ level: 'silent' }),
    });
    expect(() => server.get('/v1/forgotten', () => ({}))).toThrow(/declares no scope/);
    await server.close();
  });

  it('is refused to a credential with every scope but its own, and to none', async () => {
    const secrets = new Map<RouteScope, string>();
    for (const { method, url, scope } of scopedRoutes()) {
      const others = routeScopes.filter((one) => one !== scope);
      const secret = secrets.get(scope) ?? (await credential(others)).secret;
      secrets.set(scope, secret);
      const answer = await call(method, url, secret, method === 'POST' ? {} : undefined);
      expect([method, url, answer.status]).toEqual([method, url, 403]);
      expect(answer.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
      expect((await call(method, url, '')).status, url).toBe(401);
    }
    expect(new Set(scopedRoutes().map(({ scope }) => scope)).size).toBeGreaterThan(8);
  });

  it('lets a credential with its scope alone pass', async () => {
    for (const { method, url, scope } of scopedRoutes()) {
      const { secret } = await credential([scope]);
      const answer = await call(method, url, secret, method === 'POST' ? {} : undefined);
      expect([401, 403], `${method} ${url}`).not.toContain(answer.status);
    }
  }, 60_000);
});

describe('a credential', () => {
  const standing = () => `/v1/identities/${unknownId()}/standing`;

  it('for one source reports signs from it, and from no other, alone and in a batch', async () => {
    const { secret } = await credential(['signs:write:shop', 'api:read']);
    const sign = (source: string) => ({ identityId: unknownId(), source });
    expect((await call('POST', '/v1/activity', secret, sign('shop'))).status).toBe(202);
    for (const source of ['shop2', 'sho', 'Shop', 'app'])
      expect((await call('POST', '/v1/activity', secret, sign(source))).status, source).toBe(403);
    const answer = await fetch(new URL('/v1/activity', gateway.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify(sign('shop'))}\n${JSON.stringify(sign('shop2'))}\n`,
    });
    expect(await answer.json()).toMatchObject({ recorded: 1, invalid: 1 });
  });

  it('that is revoked is refused at once, and its name is in the log', async () => {
    const { name, secret } = await credential(['standing:read']);
    expect((await call('GET', standing(), secret)).status).toBe(404);
    await revokeCredential(pool, { name, actor: 'olga', reason: 'leaked' }, Date.now());
    await until('it is refused', async () => (await call('GET', standing(), secret)).status === 401);
    await until('the log tells', async () =>
      lines.some((line) => line.includes(`"cause":"ended"`) && line.includes(`credential:${name}`)),
    );
  });

  it('that is rotated is good beside its successor, and not after the overlap', async () => {
    const { name, secret } = await credential(['standing:read']);
    const second = await rotateCredential(pool, { name, overlapMs: 3_600_000, actor: 'olga' });
    await until('the second is known', async () => (await call('GET', standing(), second)).status === 404);
    expect((await call('GET', standing(), secret)).status).toBe(404);
    const third = await rotateCredential(pool, { name, overlapMs: 0, actor: 'olga' });
    await until('the third is known', async () => (await call('GET', standing(), third)).status === 404);
    for (const earlier of [secret, second]) expect((await call('GET', standing(), earlier)).status).toBe(401);
  });

  it('is not taken from an address outside of its networks', async () => {
    const scopes = ['standing:read'];
    const near = await credential(scopes, { networks: ['127.0.0.0/8', '::1/128'] });
    const far = await credential(scopes, { networks: ['192.0.2.0/24'] });
    await until('it is known', async () => (await call('GET', standing(), near.secret)).status === 404);
    expect((await call('GET', standing(), far.secret)).status).toBe(401);
  });

  it('is known by its use: the time is written, the secret is not', async () => {
    const { name, secret } = await credential(['standing:read']);
    await call('GET', standing(), secret);
    const own = new CredentialDirectory({ pool, postgresUrl: stack.postgres.runtimeUrl, onError: fail });
    await own.start();
    const [row] = (await readCredentials(pool, { ended: false })).filter((one) => one.name === name);
    const hash = (await pool.query('SELECT hash FROM credential WHERE name = $1', [name])).rows[0].hash;
    const found = own.find(hash.toString('base64url'));
    if (found.kind !== 'live') throw new Error('it is not known');
    expect(row?.lastUsedAt).toBeUndefined();
    own.noteUse(found.credential);
    await own.close();
    const [used] = (await readCredentials(pool, { ended: false })).filter((one) => one.name === name);
    expect(Math.abs((used?.lastUsedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  });
});

describe('while PostgreSQL is away', () => {
  it('what was read counts for its time, and nobody gets in after it', async () => {
    const { secret } = await credential(['standing:read']);
    const hash = (await import('../../src/principals/issue.js')).credentialHash(secret).toString('base64url');
    let isAway = false;
    const through = {
      query: (...args: Parameters<typeof pool.query>) =>
        isAway ? Promise.reject(new Error('away')) : pool.query(...args),
    };
    const errors: unknown[] = [];
    const own = new CredentialDirectory({
      pool: through as unknown as typeof pool,
      postgresUrl: `postgres://x@127.0.0.1:${await closedPort()}/x`,
      ...{ pollMs: 20, staleMs: 300 },
      onError: (error) => errors.push(error),
    });
    await own.start();
    expect(own.find(hash).kind).toBe('live');
    isAway = true;
    await own.refresh();
    expect(own.find(hash).kind).toBe('live');
    await until('it does not count any more', async () => own.find(hash).kind === 'unavailable');
    isAway = false;
    await until('it counts again', async () => own.find(hash).kind === 'live');
    expect(errors.length).toBeGreaterThan(0);
    await own.close();
  });

  it('a credential is answered 503, and a configured key goes on', async () => {
    const away = new CredentialDirectory({
      pool,
      postgresUrl: stack.postgres.runtimeUrl,
      staleMs: -1,
      onError: fail,
    });
    const other = await listenGateway({ stack, more: { credentials: away } });
    try {
      const { secret } = await credential(['standing:read']);
      const ask = (token: string) =>
        fetch(new URL(standing(), other.url), { headers: { authorization: `Bearer ${token}` } });
      const answer = await ask(secret);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await ask(other.tokens[0])).status).toBe(404);
    } finally {
      await other.close();
      await away.close();
    }
  });
  const standing = () => `/v1/identities/${unknownId()}/standing`;
});

describe('the actor', () => {
  it('is the credential, whatever an older client claims in the body', async () => {
    const id = unknownId();
    const { name, secret } = await credential(['exemptions:decide']);
    const exempt = {
      reason: 'batch',
      kind: 'service',
      owner: 'team/x',
      reviewAt: new Date(Date.now() + 86_400_000).toISOString(),
    };
    const answer = await call('POST', `/v1/identities/${id}/exempt`, secret, { ...exempt, actor: 'engine' });
    expect([answer.status, answer.headers.get('x-dormouse-actor')]).toEqual([200, `credential:${name}`]);
    expect(JSON.parse(answer.text)).toMatchObject({ setBy: `credential:${name}` });
    expect(await readAudit(pool, id)).toMatchObject([
      { eventType: 'exemption_set', actor: `credential:${name}` },
    ]);
  });

  it('of a configured token is config:service', async () => {
    const body = { reason: 'over', actor: 'olga' };
    const answer = await call('POST', `/v1/identities/${unknownId()}/end-exemption`, gateway.tokens[0], body);
    expect(answer.headers.get('x-dormouse-actor')).toBe('config:service');
  });
});

describe('the public address', () => {
  it("answers 404 to every operators' route, as to a route that there is not, and serves the others", async () => {
    const pub = await listenGateway({
      stack,
      more: { credentials: directory, securityEvents, side: 'public' },
    });
    const ops = await listenGateway({
      stack,
      more: { credentials: directory, securityEvents, side: 'operators' },
    });
    try {
      const { secret } = await credential([...routeScopes]);
      const headers = { authorization: `Bearer ${secret}`, 'x-dormouse-hook-key': secret };
      const ask = async (base: string, method: string, url: string) => {
        const answer = await fetch(new URL(url.replace(':id', randomUUID()), base), { method, headers });
        return [answer.status, method === 'HEAD' ? '' : await answer.text()] as const;
      };
      const missing = await ask(pub.url, 'GET', '/v1/nothing');
      for (const { method, url } of routes.filter(({ method }) => method !== 'HEAD')) {
        const isOperators =
          /^\/v1\/(worklist|breaker|parked|exemptions|credentials|sign-in|audit|policies|mails|security-events|personal-tokens|identities\/find)/.test(
            url,
          ) ||
          /^\/v1\/identities\/:id\/(hold|release|reactivate|apply-policy|retry-parked|skip-parked|exempt|review-exemption|end-exemption|confirm-missing|audit|mails|personal-tokens)$/.test(
            url,
          );
        const answer = await ask(pub.url, method, url);
        if (isOperators) expect(answer, url).toEqual(missing);
        else expect(answer[1], url).not.toContain('There is no such route');
        const isPublicOnly = /^\/(account|\.well-known)|\/(hooks|mail|activity)(\/|$)/.test(url);
        const other = await ask(ops.url, method, url);
        if (isPublicOnly) expect(other[0], url).toBe(404);
        else expect(other[1], url).not.toContain('There is no such route');
      }
      const document = JSON.parse((await ask(pub.url, 'GET', '/openapi.json'))[1]) as { paths: object };
      expect(Object.keys(document.paths)).not.toContain('/v1/worklist');
      expect(Object.keys(document.paths)).toContain('/v1/activity');
    } finally {
      await pub.close();
      await ops.close();
    }
  });
});

describe('the security log', () => {
  it("has each operator's call and each refused call, with principal and route, and no secret, path or address", async () => {
    const { name, secret } = await credential(['worklist:read']);
    const id = unknownId();
    await call('GET', '/v1/worklist', secret);
    await call('POST', `/v1/identities/${id}/hold`, secret, { reason: 'jane.doe@example.com' });
    const guess = fresh('guess-of-a-token');
    await call('GET', '/v1/worklist', guess);
    const told = () =>
      lines.filter((line) => line.includes('"category":"SECURITY"')).map((line) => JSON.parse(line));
    await until('all are told', async () =>
      told().some(({ event, actor }) => event === 'operator_call' && actor === `credential:${name}`),
    );
    expect(told()).toContainEqual(
      expect.objectContaining({
        event: 'operator_call',
        actor: `credential:${name}`,
        route: '/v1/worklist',
        status: 200,
      }),
    );
    expect(told()).toContainEqual(
      expect.objectContaining({
        event: 'call_refused',
        cause: 'scope',
        actor: `credential:${name}`,
        route: '/v1/identities/:id/hold',
      }),
    );
    for (const hidden of [secret, secret.slice(4, 47), guess, id, 'jane', '127.0.0.1', gateway.tokens[0]])
      expect(JSON.stringify(told()).includes(hidden), hidden).toBe(false);
  });
});

it('refused calls reach the audit log, once a minute for each cause and address', async () => {
  const { name, secret } = await credential(['worklist:read']);
  const own = refusalsTo(pool, fail);
  const other = await listenGateway({ stack, more: { credentials: directory, refusals: own } });
  try {
    for (let nth = 0; nth < 5; nth += 1)
      await fetch(new URL(`/v1/identities/${unknownId()}/standing`, other.url), {
        headers: { authorization: `Bearer ${secret}` },
      });
  } finally {
    await other.close();
    await own.close();
  }
  const { rows } = await pool.query(
    "SELECT outcome, detail FROM audit WHERE event_type = 'call_refused' AND actor = $1",
    [`credential:${name}`],
  );
  // Two where a minute began in between.
  expect([1, 2]).toContain(rows.length);
  expect(rows[0]).toMatchObject({
    outcome: 'scope',
    detail: { route: '/v1/identities/:id/standing', scope: 'standing:read' },
  });
});
