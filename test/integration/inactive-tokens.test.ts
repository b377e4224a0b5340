/** Tokens that die of inactivity (docs/inactive-tokens.md), with a real PostgreSQL, the role of an app, and two instances. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { InactiveTokensAppOptions } from '../../src/middleware/inactive-tokens/options.js';
import { createPool } from '../../src/postgres/pool.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { minute, type TokenApp, TokenApps } from '../support/token-apps.js';
import { until } from '../support/until.js';

let apps: TokenApps;
beforeAll(async () => {
  apps = await TokenApps.begin();
});
afterEach(() => apps.closeApps());
afterAll(() => apps.close());

const status = async (app: TokenApp, token: string, path = '/'): Promise<number> =>
  (await app.get(path, token)).status;
const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

async function stage(identityId: string, name: string): Promise<void> {
  await apps.database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
     VALUES ($1, $2, $3, $3, '{}', 1, $3)
     ON CONFLICT (identity_id) DO UPDATE SET stage = EXCLUDED.stage, stage_since = EXCLUDED.stage_since`,
    [identityId, name, new Date(apps.now())],
  );
}

describe.each(['fastify', 'express'] as const)('with %s', (framework) => {
  const start = (options?: Partial<InactiveTokensAppOptions<unknown>>) => apps[framework](options);

  it('a token that is used stays good, one that is not ends at 20 minutes, and a new sign-in works', async () => {
    const app = await start();
    const { token, identityId } = await apps.issue();
    for (let n = 0; n < 3; n += 1) {
      apps.aheadMs += 19 * minute;
      expect(await status(app, token)).toBe(200);
    }
    const answer = await app.get('/', token);
    expect(await bodyOf(answer)).toMatchObject({ who: identityId });

    const idle = await apps.issue();
    expect(await status(app, idle.token)).toBe(200);
    apps.aheadMs += 20 * minute;
    const refused = await app.get('/', idle.token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="app", error="invalid_token", error_description="Token rejected due to user inactivity"',
    );
    expect(await bodyOf(refused)).toMatchObject({
      error: 'invalid_token',
      end: 'idle',
      reason: 'idle',
      rule: 'idle',
    });
    expect(app.log.at(-1)).toMatchObject({
      ...{ category: 'SECURITY', event: 'token_refused', reason: 'idle', idleMinutes: 20 },
      identityId: idle.identityId,
    });
    // It stays ended, and the log has it once, without the token.
    expect(await status(app, idle.token)).toBe(401);
    const entries = await apps.audited(idle.identityId);
    expect(entries).toMatchObject([{ outcome: 'idle', detail: { idleMinutes: 20, rule: 'idle' } }]);
    expect(JSON.stringify([entries, app.log])).not.toContain(idle.token.split('.')[2]);

    const again = await apps.issue({ sub: idle.identityId });
    expect(await status(app, again.token)).toBe(200);
  });

  it('nothing keeps a token beyond its lifetime', async () => {
    const app = await start();
    const { token, identityId } = await apps.issue({ exp: apps.seconds() + 86_400 });
    for (let n = 0; n < 6; n += 1) {
      expect(await status(app, token)).toBe(200);
      apps.aheadMs += 10 * minute;
    }
    const refused = await app.get('/', token);
    expect([refused.status, await bodyOf(refused)]).toMatchObject([401, { end: 'time', reason: 'lifetime' }]);
    expect(await apps.audited(identityId)).toMatchObject([{ outcome: 'lifetime' }]);
  });

  it('a request without a token is told so, a public route needs none, and a preflight passes', async () => {
    const app = await start({ rules: () => ({ public: false }) });
    const refused = await app.get('/');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="app"']);
    const preflight = await fetch(`${app.url}/`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'GET', origin: 'https://page.example' },
    });
    expect(preflight.status).not.toBe(401);
    const open = await start({ rules: () => ({ public: true }) });
    expect([(await open.get('/')).status, (await open.get('/', 'no.good.token')).status]).toEqual([200, 200]);
  });

  it('serves its figures to anybody, its status without renewing, and ends the use at the sign-out', async () => {
    const app = await start({ policy: { idle: '10m', sliding: true } });
    const config = await app.get('/api/auth/config');
    expect(await bodyOf(config)).toEqual({
      inactivity_threshold_minutes: 10,
      max_token_lifetime_hours: 0.25,
      warn_before_seconds: 120,
      features: { inactivity_based_expiration: true, sliding_access: true },
    });
    const { token, identityId } = await apps.issue({ exp: apps.seconds() + 900 });
    expect(await status(app, token)).toBe(200);
    apps.aheadMs += 5 * minute;
    expect(await bodyOf(await app.get('/token/status', token))).toMatchObject({
      state: 'good',
      idleMs: 10 * minute,
    });
    apps.aheadMs += 4 * minute;
    const answer = await app.get('/token/status', token);
    expect(Date.parse(String((await bodyOf(answer)).idleEndsAt)) - apps.now()).toBeLessThanOrEqual(minute);
    expect((await app.get('/token/sign-out', token)).status).toBe(405);
    const out = await fetch(`${app.url}/token/sign-out`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(out.status).toBe(204);
    expect(await bodyOf(await app.get('/', token))).toMatchObject({ end: 'revoked', reason: 'revoked' });
    expect(await apps.audited(identityId)).toMatchObject([{ outcome: 'revoked' }]);
    expect((await app.get('/token/nothing', token)).status).toBe(404);
  });
});

describe('what counts as a use', () => {
  it.each([
    'fastify',
    'express',
  ] as const)('with %s: POST use does, unless it is in the background; GET status does not', async (framework) => {
    const app = await apps[framework]({ policy: { routes: { '/billing': '5m' }, excluded: ['/poll'] } });
    const { token } = await apps.issue();
    const authorization = { authorization: `Bearer ${token}` };
    const use = async (query = '', headers: Record<string, string> = {}) => {
      const init = { method: 'POST', headers: { ...authorization, ...headers } };
      const answer = await bodyOf(await fetch(`${app.url}/token/use${query}`, init));
      return Math.round((Date.parse(String(answer.idleEndsAt)) - apps.now()) / minute);
    };
    expect(await status(app, token)).toBe(200);
    apps.aheadMs += 15 * minute;
    expect(await use('', { 'x-dormouse-background': '1' })).toBe(5);
    expect(await use('?path=/poll')).toBe(5);
    expect(await use()).toBe(20);
    expect(await use('?path=/billing')).toBe(5);
    expect((await app.get('/token/use', token)).status).toBe(405);
    apps.aheadMs += 20 * minute;
    const over = await fetch(`${app.url}/token/use`, { method: 'POST', headers: authorization });
    expect([over.status, await bodyOf(over)]).toMatchObject([401, { end: 'idle' }]);
  });

  it('requests in the background, and below excluded paths, are judged and renew nothing', async () => {
    const app = await apps.fastify({ policy: { excluded: ['/poll', '/docs'] } });
    const { token } = await apps.issue();
    expect(await status(app, token)).toBe(200);
    for (let n = 0; n < 4; n += 1) {
      apps.aheadMs += 4 * minute;
      expect(await status(app, token, '/poll/now?x=1')).toBe(200);
      expect((await app.get('/', token, { 'x-dormouse-background': '1' })).status).toBe(200);
    }
    apps.aheadMs += 4 * minute;
    expect(await status(app, token, '/poll')).toBe(401);
  });

  it('the strictest of route, role and person counts, and the answer says which', async () => {
    const app = await apps.fastify({
      policy: { idle: '20m', routes: { '/billing': '5m' }, roles: { admin: '10m' } },
      idleOf: () => 8 * minute,
    });
    const { token } = await apps.issue({ roles: ['admin'] });
    expect(await bodyOf(await app.get('/', token))).toMatchObject({
      verdict: { rule: 'subject', idleMs: 8 * minute },
    });
    expect(await bodyOf(await app.get('/BILLING/x', token))).toMatchObject({
      verdict: { rule: 'routes:/billing' },
    });
    apps.aheadMs += 5 * minute;
    expect(await bodyOf(await app.get('/billing', token))).toMatchObject({
      reason: 'idle',
      rule: 'routes:/billing',
    });
  });

  it('tokens of one session share their uses, and silent renewal is none', async () => {
    const app = await apps.fastify();
    const auth_time = apps.seconds();
    const first = await apps.issue({ sid: 's-1', auth_time });
    expect(await status(app, first.token)).toBe(200);
    apps.aheadMs += 19 * minute;
    const second = await apps.issue({ sid: 's-1', auth_time, sub: first.identityId });
    apps.aheadMs += minute;
    expect(await bodyOf(await app.get('/', second.token))).toMatchObject({ reason: 'idle' });
    expect(await bodyOf(await app.get('/', first.token))).toMatchObject({ reason: 'idle' });
    expect(await apps.uses(first.identityId)).toHaveLength(1);
    const signedIn = await apps.issue({ sid: 's-1', auth_time: apps.seconds(), sub: first.identityId });
    expect(await status(app, signedIn.token)).toBe(200);
  });

  it('a token that was in use before anybody noted it goes on, by the person’s latest sign of life', async () => {
    const app = await apps.fastify();
    const { token, identityId } = await apps.issue({
      iat: apps.seconds() - 45 * 60,
      exp: apps.seconds() + 900,
    });
    const unused = await apps.issue({ iat: apps.seconds() - 45 * 60, exp: apps.seconds() + 900 });
    await apps.database.pool.query(
      "INSERT INTO identity_activity (identity_id, kind, last_active_at, source) VALUES ($1, 'token', $2, 'web')",
      [identityId, new Date(apps.now() - minute)],
    );
    expect(await status(app, token)).toBe(200);
    expect(await status(app, unused.token)).toBe(401);
  });

  it('uses are written once a window, and are a sign of life', async () => {
    const noted: unknown[] = [];
    const dormouse = { noteActivity: (id: string, report?: object) => noted.push({ id, ...report }) };
    const app = await apps.fastify({ dormouse });
    const { token, identityId } = await apps.issue();
    await status(app, token);
    const before = app.strategy.counters().writes;
    const answers = await Promise.all(Array.from({ length: 300 }, () => status(app, token)));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(app.strategy.counters().writes).toBe(before);
    expect(noted).toMatchObject([{ id: identityId, kind: 'token' }]);
    await app.close();
    const [use] = await apps.uses(identityId);
    expect(use?.last_used_at).toBeInstanceOf(Date);
  });

  it('answers say when the end is near', async () => {
    const app = await apps.fastify();
    const { token } = await apps.issue();
    const early = await app.get('/', token);
    expect(early.headers.get('x-dormouse-token-ends-in')).toBeNull();
    apps.aheadMs += 18.5 * minute;
    const late = await app.get('/', token, { 'x-dormouse-background': '1' });
    expect(Number(late.headers.get('x-dormouse-token-ends-in'))).toBeGreaterThan(60);
    expect(Number(late.headers.get('x-dormouse-token-ends-in'))).toBeLessThanOrEqual(90);
  });
});

describe('several instances', () => {
  it('a use at one keeps the token at the other, and nobody is ended by an old memory', async () => {
    const [one, other] = [await apps.fastify(), await apps.fastify()];
    const { token } = await apps.issue();
    expect([await status(one, token), await status(other, token)]).toEqual([200, 200]);
    for (let n = 0; n < 2; n += 1) {
      apps.aheadMs += 15 * minute;
      expect(await status(one, token)).toBe(200);
    }
    expect(await status(other, token)).toBe(200);
  });

  it('a use that comes between judgement and end keeps the token', async () => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const one = await apps.fastify({ beforeWrite: async () => void (await meanwhile?.()) });
    const { token, identityId } = await apps.issue();
    expect(await status(one, token)).toBe(200);
    apps.aheadMs += 20 * minute;
    meanwhile = async () => {
      meanwhile = undefined;
      await apps.database.pool.query('UPDATE token_use SET last_used_at = $2 WHERE identity_id = $1', [
        identityId,
        new Date(apps.now() - 1_000),
      ]);
    };
    expect(await status(one, token)).toBe(200);
    expect(await apps.audited(identityId)).toEqual([]);
  });

  it('a use that ends between judgement and write is not brought back', async () => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const one = await apps.fastify({ beforeWrite: async () => void (await meanwhile?.()) });
    const other = await apps.fastify();
    const { token, identityId } = await apps.issue();
    meanwhile = async () => {
      meanwhile = undefined;
      await other.strategy.revoke({ authorization: `Bearer ${token}` });
    };
    expect(await bodyOf(await one.get('/', token))).toMatchObject({ reason: 'revoked' });
    const [use] = await apps.uses(identityId);
    expect(use).toMatchObject({ ended_reason: 'revoked' });
  });

  it.each([
    [
      'a revocation of all',
      (id: string) => writeNotBefore(apps.database.pool, id, apps.now() + 1_000),
      'revoked',
    ],
    ['a deactivation', (id: string) => stage(id, 'deactivated'), 'stage'],
    ['a suspension', (id: string) => stage(id, 'suspended'), 'stage'],
  ] as const)('%s is heard at once, and by reading where nothing is heard', async (_what, deed, reason) => {
    const [one, deaf] = [await apps.fastify({ pollMs: 600_000 }), await apps.fastify({ pollMs: 600_000 })];
    const { token, identityId } = await apps.issue();
    expect([await status(one, token), await status(deaf, token)]).toEqual([200, 200]);
    await apps.database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN dormouse_tokens'
       ORDER BY backend_start DESC LIMIT 1`,
    );
    await deed(identityId);
    await until('the first instance refuses it', async () => (await status(one, token)) === 401);
    expect(await bodyOf(await one.get('/', token))).toMatchObject({ end: 'revoked', reason });
    await deaf.strategy.refresh();
    expect(await status(deaf, token)).toBe(401);
    expect(deaf.strategy.counters().staleMs).toBeLessThan(600_000);
  });

  it('revoked at one it is refused at the other within the bound, though that one hears and reads nothing', async () => {
    const one = await apps.fastify();
    const deaf = await apps.fastify({ pollMs: 600_000, staleMs: 50 });
    const { token } = await apps.issue();
    expect([await status(one, token), await status(deaf, token)]).toEqual([200, 200]);
    await apps.database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN dormouse_tokens'
       ORDER BY backend_start DESC LIMIT 1`,
    );
    await one.strategy.revoke({ authorization: `Bearer ${token}` });
    await until('the bound is over', async () => deaf.strategy.counters().staleMs > 50);
    expect(await bodyOf(await deaf.get('/', token))).toMatchObject({ end: 'revoked' });
  });

  it('a sign-in after a suspension brings a token that is good, one without a sign-in does not', async () => {
    const app = await apps.fastify();
    const identityId = randomUUID();
    await stage(identityId, 'suspended');
    const fresh = await apps.issue({ sub: identityId, auth_time: apps.seconds() + 1 });
    const refreshed = await apps.issue({ sub: identityId, auth_time: apps.seconds() - 600 });
    expect([await status(app, fresh.token), await status(app, refreshed.token)]).toEqual([200, 401]);
  });
});

describe('while PostgreSQL is away', () => {
  const away = { postgresUrl: 'postgres://app:app@127.0.0.1:1/none', staleMs: 5_000 };

  it('requests are refused with a SECURITY line', async () => {
    const app = await apps.fastify(away);
    const { token } = await apps.issue();
    const answer = await app.get('/', token);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(app.log).toContainEqual(
      expect.objectContaining({ category: 'SECURITY', event: 'token_unjudged', opens: false }),
    );
  });

  it('the token’s own times decide where the policy says so, and nothing else', async () => {
    const app = await apps.fastify({ ...away, policy: { whenUnavailable: 'time' } });
    const { token } = await apps.issue();
    const over = await apps.issue({ exp: apps.seconds() - 1 });
    expect(await status(app, token)).toBe(200);
    expect(await status(app, over.token)).not.toBe(200);
    expect(await status(app, `${token.slice(0, -8)}AAAAAAAA`)).toBe(401);
    expect(app.log).toContainEqual(expect.objectContaining({ event: 'token_unjudged', opens: true }));
  });
});

describe('in the sliding mode', () => {
  it('a token whose own life is longer than 15 minutes is refused at once', async () => {
    const app = await apps.fastify({ policy: { sliding: true, idle: '15m' } });
    const long = await apps.issue({ exp: apps.seconds() + 901 });
    const short = await apps.issue({ exp: apps.seconds() + 900 });
    expect([await status(app, long.token), await status(app, short.token)]).toEqual([401, 200]);
  });
});

it('a published policy without the section is refused at the start, by its name', async () => {
  await expect(apps.fastify({ policy: { published: 'none' } })).rejects.toThrow(/none/);
  await expect(apps.fastify({ policy: { idle: '20m', writeEvery: '10m' } })).rejects.toThrow(
    /tokens\.access\.writeEvery: is longer than a fifth/,
  );
});

describe('the role of an app', () => {
  it.each([
    'UPDATE token_use SET ended_at = NULL, ended_reason = NULL, noticed_at = NULL',
    'UPDATE token_use SET identity_id = gen_random_uuid()',
    "UPDATE token_use SET last_used_at = 'infinity' WHERE ended_at IS NULL",
    "UPDATE token_use SET last_used_at = '200000-01-01Z' WHERE ended_at IS NULL",
    'DELETE FROM token_use',
    "SELECT token_refuse(use_key, identity_id, 'idle', E'free\\ntext', 0, 0, false, NULL, NULL, NULL, NULL) FROM token_use",
    "SELECT token_refuse(use_key, identity_id, 'whatever', NULL, 0, 0, false, NULL, NULL, NULL, NULL) FROM token_use",
    'INSERT INTO admission_change VALUES (gen_random_uuid(), now())',
    'DELETE FROM request_log',
  ])('may not: %s', async (statement) => {
    const app = await apps.fastify();
    const { token, identityId } = await apps.issue();
    expect(await status(app, token)).toBe(200);
    const [before] = await apps.uses(identityId);
    const pool = createPool({ url: apps.database.appUrl });
    try {
      await expect(pool.query(statement)).rejects.toThrow(
        /permission denied|violates check|no rule|no reason/,
      );
    } finally {
      await pool.end();
    }
    expect(await apps.uses(identityId)).toEqual([before]);
  });
});
