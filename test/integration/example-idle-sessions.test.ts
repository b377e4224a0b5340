/** The example app against the real stack: sign-in by its own form, with a cookie of Kratos. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { type IdleSessionsExample, loadExample } from '../support/examples.js';
import { bodyOf, GuardedApps, minute } from '../support/guarded-apps.js';

let apps: GuardedApps;
let url: string;
let close: () => Promise<unknown>;
beforeAll(async () => {
  apps = await GuardedApps.begin();
  const { createExample } = await loadExample<IdleSessionsExample>('idle-sessions');
  const app = await createExample({
    postgresUrl: apps.appUrl,
    kratos: inject('stack').kratos,
    clock: apps.now,
    ...{ verifyTimeoutMs: 20_000, staleMs: 20_000 },
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  close = () => app.close();
});
afterEach(() => {
  apps.aheadMs = 0;
});
afterAll(async () => {
  await close();
  await apps.close();
});

async function signIn(returnTo: string) {
  const person = await apps.people.create('example');
  const body = new URLSearchParams({
    identifier: person.identifier,
    password: person.password,
    return_to: returnTo,
  });
  const headers = { 'user-agent': 'A phone of the test' };
  const answer = await fetch(`${url}/login`, { method: 'POST', headers, body, redirect: 'manual' });
  const cookie = answer.headers
    .getSetCookie()
    .map((set) => set.split(';', 1)[0])
    .join('; ');
  return { answer, cookie };
}

const get = (path: string, headers: Record<string, string>) =>
  fetch(`${url}${path}`, { headers: { accept: 'text/html', ...headers }, redirect: 'manual' });

test('a person signs in, is judged by the page, signed out after its time, and led back', async () => {
  const without = await get('/billing?page=2', {});
  expect([without.status, without.headers.get('location')]).toEqual([
    303,
    '/login?reason=none&return_to=%2Fbilling%3Fpage%3D2',
  ]);
  const { answer, cookie } = await signIn('/billing?page=2');
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/billing?page=2']);
  expect(await (await get('/billing', { cookie })).text()).toContain('<h1>Billing</h1>');
  const status = await bodyOf(await get('/session/status?path=/billing', { cookie }));
  expect(status).toMatchObject({ rule: 'routes:/billing', idleMs: minute, renewal: 'presence' });
  apps.aheadMs = minute + 5_000;
  expect((await get('/dashboard', { cookie })).status).toBe(200);
  const late = await get('/billing', { cookie });
  expect([late.status, late.headers.get('location')]).toEqual([
    303,
    '/login?reason=idle&return_to=%2Fbilling',
  ]);
  expect((await get('/dashboard', { cookie })).status).toBe(303);
});

test('a session is listed with the browser of the sign-in, not with the app’s own client', async () => {
  const { cookie } = await signIn('/dashboard');
  const list = await bodyOf(await get('/session/list', { cookie }));
  expect(list).toMatchObject({ sessions: [{ current: true, device: 'A phone of the test' }] });
});

test.each([
  '//evil.example',
  '/\\evil.example',
  'https://evil.example',
  '/login',
  '/a\r\nx: y',
])('the sign-in leads to no %j', async (returnTo) => {
  const { answer } = await signIn(returnTo);
  expect(answer.headers.get('location')).toBe('/dashboard');
});

test('a wrong password, and a form of another site, sign nobody in', async () => {
  const body = new URLSearchParams({ identifier: 'nobody@example.com', password: 'x' });
  const wrong = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });
  expect(wrong.headers.get('location')).toBe('/login?reason=refused&return_to=%2Fdashboard');
  const elsewhere = await fetch(`${url}/login`, {
    method: 'POST',
    body,
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect(elsewhere.status).toBe(403);
});
