/** The log that an app keeps of requests with access tokens (docs/inactive-tokens.md): who reads what, with a real PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { minute, type TokenApp, TokenApps } from '../support/token-apps.js';
import { until } from '../support/until.js';

let apps: TokenApps;
beforeAll(async () => {
  apps = await TokenApps.begin();
});
afterEach(() => apps.closeApps());
afterAll(() => apps.close());

interface Line {
  readonly id: string;
  readonly at: string;
  readonly category: string;
  readonly event: string;
  readonly user_id?: string;
  readonly path?: string;
  readonly status?: number;
  readonly reason?: string;
}

const newName = () => `app-${randomUUID().slice(0, 8)}`;
const log = (app: string) => ({
  requestLog: {
    app,
    isOperator: ({ claims }: { claims: { roles: readonly string[] } }) => claims.roles.includes('operator'),
  },
});

async function recent(
  app: TokenApp,
  token: string,
  query = '',
): Promise<{ logs: Line[]; next: string | null }> {
  await app.strategy.requestLog?.flush();
  const answer = await app.get(`/api/logs/recent${query}`, token);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { logs: Line[]; next: string | null };
}

describe.each(['fastify', 'express'] as const)('with %s', (framework) => {
  it('people read their own lines, without what could name somebody; to read is no use', async () => {
    const app = await apps[framework](log(newName()));
    const { token, identityId } = await apps.issue();
    const other = await apps.issue();
    await app.get('/people/ann@example.org/orders?secret=1', token);
    await app.get('/', other.token);
    // The answer is there before the line.
    const logs = await until('the line is noted', async () => {
      const answer = await recent(app, token);
      return answer.logs.length > 0 && answer.logs;
    });
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatchObject({ category: 'AUDIT', event: 'request', user_id: identityId, status: 200 });
    expect(logs[0]?.path).not.toContain('ann');
    expect(logs[0]?.path).not.toContain('secret');
    const refused = await app.get(`/api/logs/recent?user_id=${other.identityId}`, token);
    expect([refused.status, await refused.json()]).toMatchObject([403, { field: 'user_id' }]);
    apps.aheadMs += 20 * minute;
    expect((await app.get('/api/logs/recent', token)).status).toBe(401);
  });

  it('operators read everybody’s of the app, by person, category and time, page by page', async () => {
    const app = await apps[framework](log(newName()));
    const elsewhere = await apps[framework](log(newName()));
    const operator = await apps.issue({ roles: ['operator'] });
    const person = await apps.issue();
    await elsewhere.get('/', person.token);
    for (let n = 0; n < 5; n += 1) await app.get('/', person.token);
    const idle = await apps.issue();
    await app.get('/', idle.token);
    await app.get('/', 'no.good.token');
    await until('the lines are noted', async () => (await recent(app, operator.token)).logs.length === 7);

    const of = `user_id=${person.identityId}`;
    const first = await recent(app, operator.token, `?${of}&limit=3`);
    const second = await recent(app, operator.token, `?${of}&limit=3&before=${first.next}`);
    expect([first.logs.length, second.logs.length, second.next]).toEqual([3, 2, null]);
    const ids = [...first.logs, ...second.logs].map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(5);

    const security = await recent(app, operator.token, '?category=SECURITY');
    expect(security.logs).toMatchObject([{ event: 'token_refused', reason: 'malformed' }]);
    expect(security.logs[0]).not.toHaveProperty('user_id');
    const tomorrow = new Date(apps.now() + 24 * 60 * minute).toISOString();
    expect((await recent(app, operator.token, `?from=${tomorrow}`)).logs).toEqual([]);
    expect((await recent(app, operator.token, `?to=${tomorrow}`)).logs.length).toBeGreaterThan(6);
  });
});

it.each([
  ['category=audit', 'category'],
  ['limit=0', 'limit'],
  ['limit=501', 'limit'],
  ['limit=1e2', 'limit'],
  ['before=-1', 'before'],
  ['before=99999999999999999999', 'before'],
  ['from=yesterday', 'from'],
  ['to=2026-03-01T00:00:00', 'to'],
  ['user_id=1%27%20OR%201=1', 'user_id'],
  ['limit=1&limit=2', 'limit'],
  ['offset=3', 'offset'],
])('a question with %s is answered 400, by the name of the field', async (query, field) => {
  const app = await apps.fastify(log('shop'));
  const { token } = await apps.issue();
  const answer = await app.get(`/api/logs/recent?${query}`, token);
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request', field }]);
});

it('an app that keeps no log serves none, and one with a name that is none does not start', async () => {
  const app = await apps.fastify();
  const { token, identityId } = await apps.issue();
  await app.get('/', token);
  expect(await (await app.get('/api/logs/recent', token)).json()).toMatchObject({ who: identityId });
  const { rows } = await apps.database.pool.query('SELECT 1 FROM request_log WHERE identity_id = $1', [
    identityId,
  ]);
  expect(rows).toEqual([]);
  await expect(apps.fastify({ requestLog: { app: 'My App' } })).rejects.toThrow(
    /requestLog\.app is not a name/,
  );
});

it('without a token nobody reads anything', async () => {
  const app = await apps.fastify(log('shop'));
  expect((await app.get('/api/logs/recent')).status).toBe(401);
});
