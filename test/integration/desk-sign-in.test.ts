/** Who gets into the desk, and who does not: the sign-in at a real Hydra, sessions and their ends, forms of other pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDesk, type TestDesk } from '../support/desk-pages.js';

let desk: TestDesk;
const idleMs = 30 * 60_000;
const absoluteMs = 8 * 3_600_000;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const isBack = (url: URL) => url.pathname === '/desk/signed-in';
const security = (event: string) => desk.log.filter((line) => line.event === event);

describe('a sign-in', () => {
  it('leads back to the page that was asked for, and names the person by issuer and subject', async () => {
    const vera = await desk.user();
    const page = await vera.signIn('vera', '/desk/people?stage=active');
    expect(page).toMatchObject({ status: 200, path: '/desk/people?stage=active' });
    expect(page.html).toContain('oidc:dev:vera');
    expect(security('operator_signed_in').at(-1)).toMatchObject({ actor: 'oidc:dev:vera' });
    expect(security('operator_call').at(-1)).toMatchObject({
      ...{ actor: 'oidc:dev:vera', scope: 'standing:read', route: '/desk/people', status: 200 },
    });
  });

  it('asks the issuer with PKCE, state and nonce, and keeps them in a cookie that no script reads', async () => {
    const user = await desk.user();
    const answer = await user.send('/desk/sign-in?to=/desk/work');
    const { searchParams } = new URL(answer.headers.get('location') ?? '');
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    for (const name of ['code_challenge', 'state', 'nonce', 'redirect_uri', 'audience'])
      expect(searchParams.get(name)).not.toBeNull();
    expect(answer.headers.get('set-cookie')).toMatch(
      /^dormouse-desk-sign-in=.*; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
  });

  it('stores no secret of a session', async () => {
    const vera = await desk.user('vera');
    const { rows } = await desk.database.pool.query('SELECT * FROM operator_session');
    expect(JSON.stringify(rows)).not.toContain(vera.cookie());
    expect(JSON.stringify(desk.log)).not.toContain(vera.cookie());
  });

  it.each([
    ['https://evil.example/', '/desk'],
    ['//evil.example', '/desk'],
    ['/desk/sign-out', '/desk'],
    ['/desk/../v1/worklist', '/desk'],
  ])('does not lead to %s', async (to, expected) => {
    const user = await desk.user();
    const page = await user.signIn('vera', `/desk/sign-in?to=${encodeURIComponent(to)}`);
    expect(page).toMatchObject({ status: 200, path: expected });
  });

  it('of another browser is refused: its state is not the one of this browser', async () => {
    const [attacker, victim] = [await desk.user(), await desk.user()];
    const { path: answer } = await attacker.signIn('olaf', '/desk', isBack);
    await victim.send('/desk/sign-in');
    const page = await victim.open(answer);
    expect(page.status).toBe(403);
    expect(victim.cookie()).toBe('');
    expect(security('sign_in_refused').at(-1)).toMatchObject({ cause: 'forged' });
    // Nor without any sign-in under way.
    expect((await (await desk.user()).open(answer)).status).toBe(403);
  });

  it.each(['nonce', 'state', 'verifier'] as const)('with another %s is refused', async (field) => {
    const user = await desk.user();
    const { path: answer } = await user.signIn('olaf', '/desk', isBack);
    const name = 'dormouse-desk-sign-in';
    const kept = JSON.parse(Buffer.from(user.cookie(name), 'base64url').toString());
    const changed = { ...kept, [field]: `${kept[field]}x` };
    user.setCookie(name, Buffer.from(JSON.stringify(changed)).toString('base64url'));
    expect((await user.open(answer)).status).toBe(403);
    expect(user.cookie()).toBe('');
  });

  it('whose code was used already is refused', async () => {
    const user = await desk.user();
    const { path: answer } = await user.signIn('olaf', '/desk', isBack);
    const underWay = user.cookie('dormouse-desk-sign-in');
    expect((await user.open(answer)).status).toBe(200);
    user.setCookie('dormouse-desk-sign-in', underWay);
    expect((await user.open(answer)).status).toBe(403);
  });

  it('that the issuer refused is told as such', async () => {
    const user = await desk.user();
    const begun = await user.send('/desk/sign-in');
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state');
    const page = await user.open(`/desk/signed-in?error=access_denied&state=${state}`);
    expect(page.status).toBe(403);
    expect(page.html).toContain('The issuer refused the sign-in');
  });
});

describe('a session', () => {
  const shift = (column: 'last_used_at' | 'signed_in_at', ms: number) =>
    desk.database.pool.query(
      `UPDATE operator_session SET ${column} = ${column} - $1 * interval '1 ms' WHERE actor = 'oidc:dev:arne'`,
      [ms],
    );

  it('that was idle for too long is over; one that was used meanwhile is not', async () => {
    const arne = await desk.user('arne');
    await shift('last_used_at', idleMs - 60_000);
    expect((await arne.send('/desk')).status).toBe(200);
    await shift('last_used_at', idleMs - 60_000);
    expect((await arne.send('/desk')).status).toBe(200);
    await shift('last_used_at', idleMs + 1_000);
    const answer = await arne.send('/desk/work?kind=parked');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/desk/sign-in?to=%2Fdesk%2Fwork%3Fkind%3Dparked');
    expect(security('call_refused').at(-1)).toMatchObject({ cause: 'ended', actor: 'oidc:dev:arne' });
  });

  it('ends some hours after the sign-in, however much it is used', async () => {
    const arne = await desk.user('arne');
    await shift('signed_in_at', absoluteMs + 1_000);
    expect((await arne.send('/desk')).status).toBe(303);
    expect((await arne.post('/desk/sign-out')).status).toBe(401);
  });

  it('ends with the sign-out, also for a copy of its cookie', async () => {
    const user = await desk.user('anna');
    const secret = user.cookie();
    await user.open('/desk');
    expect((await user.post('/desk/sign-out')).path).toBe('/desk/signed-out');
    const thief = await desk.user();
    thief.setCookie('dormouse-desk', secret);
    expect((await thief.send('/desk')).status).toBe(303);
  });

  it.each([
    'x',
    'a'.repeat(43),
    `${'a'.repeat(42)}'`,
    'a'.repeat(5_000),
  ])('is not made by a cookie of %#', async (value) => {
    const user = await desk.user();
    user.setCookie('dormouse-desk', value);
    expect((await user.send('/desk')).status).toBe(303);
  });

  it('is none for the API, and a credential is none for the desk', async () => {
    const adam = await desk.user('adam');
    expect((await adam.send('/v1/worklist')).status).toBe(401);
    const [token] = desk.gateway.tokens;
    const answer = await (await desk.user()).send('/desk/work', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(303);
  });
});

describe('a form', () => {
  it.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['of no origin', { origin: null }],
    ['without the token', { token: '' }],
    ['with the token of another session', 'other'],
  ] as const)('%s is refused, and logged', async (_name, how) => {
    const olaf = await desk.user('olaf');
    await olaf.open('/desk');
    const other = await desk.user('oona');
    await other.open('/desk');
    const more = how === 'other' ? { token: other.token } : how;
    const page = await olaf.post('/desk/sign-out', {}, more);
    expect(page.status).toBe(403);
    expect(security('call_refused').at(-1)).toMatchObject({ cause: 'origin', actor: 'oidc:dev:olaf' });
    expect((await olaf.send('/desk')).status).toBe(200);
  });
});

it("is at the operators' address only, and in no description of the API", async () => {
  const other = await openDesk({ side: 'public' });
  for (const path of ['/desk', '/desk/sign-in', '/desk/signed-in', '/desk/signed-out', '/desk/work'])
    expect([path, (await (await other.user()).send(path)).status]).toEqual([path, 404]);
  await other.close();
  const headers = { authorization: `Bearer ${desk.gateway.tokens[0]}` };
  const document = await (await fetch(`${desk.url}/openapi.json`, { headers })).text();
  expect(document).toContain('/v1/worklist');
  expect(document).not.toContain('/desk');
});

it('every page forbids scripts, frames and foreign content, and is kept by no cache', async () => {
  const vera = await desk.user('vera');
  for (const path of [
    '/desk',
    '/desk/people',
    '/desk/work',
    '/desk/breaker',
    '/desk/policies',
    '/desk/reports',
    '/desk/signed-out',
  ]) {
    const { status, headers, html } = await vera.open(path);
    expect([path, status]).toEqual([path, 200]);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src|unsafe/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(html).not.toMatch(/<script|\sstyle="|\son[a-z]+="/);
  }
});

it('whoever guesses cookies is answered 429 after a while', async () => {
  const user = await desk.user();
  const statuses = new Set<number>();
  for (let tries = 0; tries < 320 && !statuses.has(429); tries += 1) {
    user.setCookie('dormouse-desk', 'a'.repeat(43));
    statuses.add((await user.send('/desk')).status);
  }
  expect([...statuses]).toEqual([303, 429]);
});
