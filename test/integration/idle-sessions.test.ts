/** Idle sessions against real Kratos and PostgreSQL: what ends them, what renews them, and that instances agree. */
import { EventEmitter } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { watchSocket } from '../../src/middleware/idle-sessions/fastify.js';
import { startWire } from '../support/fault-tcp.js';
import { bodyOf, type GuardedApp, GuardedApps, hour, minute } from '../support/guarded-apps.js';
import { publish } from '../support/publish.js';
import { until } from '../support/until.js';

let apps: GuardedApps;
beforeAll(async () => {
  apps = await GuardedApps.begin();
});
afterEach(() => apps.closeApps());
afterAll(() => apps.close());

const background = { 'x-dormouse-background': '1' };

describe.each([
  ['Fastify', () => apps.fastify()],
  ['Express', () => apps.express()],
])('%s', (_name, start) => {
  let app: GuardedApp;
  const begin = async () => {
    app = await start();
    return apps.signIn();
  };

  test('a session at its idle limit is ended in Kratos, audited once, and answered 401 with the rule', async () => {
    const { identityId, signIn, headers } = await begin();
    expect(await bodyOf(await app.get('/home', headers))).toMatchObject({ who: identityId });
    apps.aheadMs = 30 * minute + 2_000;
    const answer = await app.get('/home', headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await bodyOf(answer)).toEqual({
      error: 'session_ended',
      reason: 'idle',
      rule: 'idle',
      endedAt: expect.stringMatching(/Z$/),
      now: expect.stringMatching(/Z$/),
    });
    expect(await apps.people.isSignedIn(signIn)).toBe(false);
    expect((await app.get('/home', headers)).status).toBe(401);
    const audit = await readAudit(apps.pool, identityId);
    expect(audit).toMatchObject([
      {
        eventType: 'session_expired_idle',
        actor: 'engine',
        detail: { idleMinutes: 30, rule: 'idle', sessionId: signIn.sessionId },
      },
    ]);
    expect(await apps.row(signIn.sessionId)).toMatchObject({
      ended_reason: 'idle',
      closed_at: expect.any(Date),
    });
  });

  test('a request at each limit less one second keeps the session until its absolute limit', async () => {
    const { headers, identityId } = await begin();
    const other = await start();
    for (let round = 0; round < 23; round += 1) {
      // The two instances take turns, so that each has to know what the other one saw.
      expect((await (round % 2 === 0 ? app : other).get('/home', headers)).status).toBe(200);
      apps.aheadMs += 30 * minute - 1_000;
    }
    expect((await app.get('/home', headers)).status).toBe(200);
    apps.aheadMs = 12 * hour - minute;
    expect((await app.get('/home', headers)).status).toBe(200);
    apps.aheadMs = 12 * hour + 1_000;
    expect(await bodyOf(await other.get('/home', headers))).toMatchObject({
      reason: 'absolute',
      rule: 'absolute',
    });
    expect((await app.get('/home', headers)).status).toBe(401);
    expect((await readAudit(apps.pool, identityId)).map(({ eventType }) => eventType)).toEqual([
      'session_expired_absolute',
    ]);
  });

  test('a poll each 30 seconds that is marked as background ends at the limit', async () => {
    const { headers } = await begin();
    const statuses: number[] = [];
    for (let second = 0; second <= 3_600; second += 30) {
      apps.aheadMs = second * 1_000;
      statuses.push((await app.get('/poll', { ...headers, ...background })).status);
    }
    // The sign-in happened a moment before the first poll.
    expect(statuses.indexOf(401)).toBe(60);
    expect(statuses.lastIndexOf(200)).toBe(59);
  });

  test.each([
    ['a prefetch', { 'sec-purpose': 'prefetch;prerender' }],
    ['a stream of events', { accept: 'text/event-stream' }],
  ])('%s does not renew', async (_what, mark) => {
    const { headers } = await begin();
    apps.aheadMs = 29 * minute;
    expect((await app.get('/home', { ...headers, ...mark })).status).toBe(200);
    apps.aheadMs = 31 * minute;
    expect((await app.get('/home', headers)).status).toBe(401);
  });

  test('a session without a row, whose sign-in is older than the limit, is ended', async () => {
    const { headers } = await begin();
    apps.aheadMs = 31 * minute;
    expect(await bodyOf(await app.get('/home', headers))).toMatchObject({ reason: 'idle' });
  });

  test('no session, and a made-up one, are answered 401', async () => {
    await begin();
    for (const headers of [
      {},
      { 'x-session-token': 'ory_st_made_up' },
      { cookie: 'ory_kratos_session=made-up' },
    ]) {
      expect(await bodyOf(await app.get('/home', headers))).toMatchObject({ error: 'no_session' });
    }
  });

  test('the status names both ends and the rule of the page, and never renews', async () => {
    const { headers } = await begin();
    const before = apps.now();
    const status = await bodyOf(await app.get('/session/status?path=/home', headers));
    expect(status).toMatchObject({ state: 'live', rule: 'idle', idleMs: 30 * minute, renewal: 'requests' });
    expect(Date.parse(status.now)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(status.idleEndsAt) - Date.parse(status.now)).toBeLessThanOrEqual(30 * minute);
    expect(Date.parse(status.absoluteEndsAt) - Date.parse(status.now)).toBeLessThanOrEqual(12 * hour);
    apps.aheadMs = 29 * minute;
    const later = await bodyOf(await app.get('/session/status', headers));
    expect(later.idleEndsAt).toBe(status.idleEndsAt);
  });

  test('a renewal moves the idle end, as of the input that it reports', async () => {
    const { headers } = await begin();
    apps.aheadMs = 20 * minute;
    const renewed = await bodyOf(
      await app.send('POST', '/session/renew', headers, { idleForMs: 5 * minute }),
    );
    const left = Date.parse(renewed.idleEndsAt) - Date.parse(renewed.now);
    expect(left).toBeLessThanOrEqual(25 * minute);
    expect(left).toBeGreaterThan(24 * minute);
  });

  test('a sign-out ends the session on every instance, and is a POST from the app alone', async () => {
    const { headers, signIn } = await begin();
    const other = await start();
    expect((await other.get('/home', headers)).status).toBe(200);
    const byImage = await app.get('/session/sign-out', headers);
    expect([byImage.status, byImage.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await app.send('POST', '/session/sign-out', headers)).status).toBe(204);
    expect(await apps.people.isSignedIn(signIn)).toBe(false);
    await until('the other instance refuses', async () => (await other.get('/home', headers)).status === 401);
    expect(await bodyOf(await other.get('/home', headers))).toMatchObject({ reason: 'signed_out' });
    expect((await app.send('POST', '/session/sign-out', {})).status).toBe(204);
  });

  test('a request with a cookie from another origin changes nothing', async () => {
    await begin();
    const cookie = { cookie: 'ory_kratos_session=whatever' };
    const ways: Record<string, string>[] = [
      { ...cookie, origin: app.url },
      { ...cookie, origin: 'https://evil.example', 'x-dormouse-request': '1' },
      { ...cookie, 'x-dormouse-request': '1' },
      { ...cookie, 'x-dormouse-request': '1', 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of ways) {
      const answer = await fetch(`${app.url}/session/renew`, { method: 'POST', headers });
      expect([answer.status, (await bodyOf(answer)).error]).toEqual([403, 'cross_origin']);
    }
    expect(await bodyOf(await app.send('POST', '/session/renew', cookie))).toMatchObject({
      error: 'no_session',
    });
  });

  test.each<[string, string, string, unknown, number, string]>([
    ['an unknown field value', 'POST', '/session/renew', { idleForMs: -1 }, 400, 'idleForMs'],
    ['a path from nowhere', 'POST', '/session/renew', { path: 'billing' }, 400, 'path'],
    ['a body that is a list', 'POST', '/session/lease', [], 400, 'body'],
    ['a choice that is not offered', 'PUT', '/session/choice', { idleMs: 1 }, 400, 'idleMs'],
    ['a session id that is none', 'POST', '/session/end', { id: 'x' }, 400, 'id'],
  ])('%s is answered 400 and names the field', async (_what, method, path, body, status, field) => {
    const { headers } = await begin();
    const answer = await app.send(method, path, headers, body);
    expect([answer.status, (await bodyOf(answer)).field]).toEqual([status, field]);
  });

  test('a body that is no JSON, or too long, is refused', async () => {
    const { headers } = await begin();
    const post = (body: string) =>
      fetch(`${app.url}/session/renew`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
    expect((await post('{')).status).toBe(400);
    expect((await post('{"path":"/a","path":"/b"}')).status).toBe(400);
    expect((await post(`{"path":"/${'a'.repeat(5_000)}"}`)).status).toBe(413);
    expect((await app.get('/session/nothing', headers)).status).toBe(404);
  });
});

describe('two instances', () => {
  test('that judge a session at its limit end it once, whatever comes at once', async () => {
    const { headers, identityId } = await apps.signIn();
    const [one, two] = [await apps.fastify(), await apps.fastify()];
    await Promise.all([one.get('/', headers), two.get('/', headers)]);
    apps.aheadMs = 31 * minute;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).get('/', headers)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(401));
    expect(await readAudit(apps.pool, identityId)).toHaveLength(1);
  });

  test('a session that ends between judgement and write is not brought back', async () => {
    const { headers, signIn } = await apps.signIn();
    const two = await apps.fastify();
    let pause: Promise<void> | undefined;
    let reached = () => {};
    const one = await apps.fastify({
      beforeWrite: async () => {
        reached();
        await pause;
      },
    });
    await one.get('/', headers);
    apps.aheadMs = 10 * minute;
    let resume = () => {};
    pause = new Promise((resolve) => {
      resume = resolve;
    });
    const isWaiting = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const underWay = one.get('/', headers);
    await isWaiting;
    expect((await two.send('POST', '/session/sign-out', headers)).status).toBe(204);
    const before = await apps.row(signIn.sessionId);
    resume();
    const answer = await underWay;
    expect([answer.status, (await bodyOf(answer)).reason]).toEqual([401, 'signed_out']);
    const { closed_at: _, ...after } = (await apps.row(signIn.sessionId)) ?? {};
    expect(before).toMatchObject(after);
  });

  test('a session that the other instance renewed is not ended by what this one remembers', async () => {
    const { headers } = await apps.signIn();
    const [one, two] = [await apps.fastify(), await apps.fastify()];
    await one.get('/', headers);
    apps.aheadMs = 29 * minute;
    await two.get('/', headers);
    apps.aheadMs = 31 * minute;
    expect((await one.get('/', headers)).status).toBe(200);
  });

  test('a choice reaches the other one, and only tightens', async () => {
    const policy = { idle: '30m', absolute: '12h', choices: { offered: [0, '15m', '30m', '60m'] } };
    const { headers } = await apps.signIn();
    const [one, two] = [await apps.fastify({ policy }), await apps.fastify({ policy })];
    await two.get('/', headers);
    const offered = { offeredMs: [0, 15 * minute, 30 * minute] };
    expect(await bodyOf(await one.get('/session/choice', headers))).toEqual({ ...offered, chosenMs: null });
    const put = (idleMs: number) => one.send('PUT', '/session/choice', headers, { idleMs });
    expect((await put(hour)).status).toBe(400);
    expect(await bodyOf(await put(15 * minute))).toEqual({ ...offered, chosenMs: 15 * minute });
    await until('the other instance knows', async () => {
      const status = await bodyOf(await two.get('/session/status', headers));
      return status.rule === 'choice' && status.idleMs === 15 * minute;
    });
  });
});

describe('what the policy says', () => {
  test('routes, roles that an admin wrote, and devices tighten', async () => {
    const app = await apps.fastify({
      policy: {
        ...{ idle: '30m', absolute: '12h', renewal: 'requests' },
        ...{ routes: { '/billing': '5m' }, roles: { admin: '10m' }, devices: { mobile: '60m' } },
      },
    });
    const { headers } = await apps.signIn();
    const ruleOf = async (path: string, more: Record<string, string>) =>
      (await bodyOf(await app.get(`/session/status?path=${encodeURIComponent(path)}`, more))).rule;
    expect(await ruleOf('/home', headers)).toBe('idle');
    expect(await ruleOf('/billing/x', headers)).toBe('routes:/billing');
    // The sign-in came from no phone: whoever asks writes the user agent.
    expect(await ruleOf('/home', { ...headers, 'user-agent': 'iPhone Mobile' })).toBe('idle');
    const admin = await apps.people.create('admin', { metadataAdmin: { role: 'admin' } });
    const signIn = await apps.people.signIn(admin);
    const asAdmin = { 'x-session-token': signIn?.sessionToken ?? '' };
    expect(await ruleOf('/home', asAdmin)).toBe('roles:admin');
    apps.aheadMs = 6 * minute;
    expect((await app.get('/home', { ...headers, ...background })).status).toBe(200);
    expect(await bodyOf(await app.get('/billing/x', headers))).toMatchObject({ rule: 'routes:/billing' });
  });

  test('a published policy that is tightened reaches live sessions', async () => {
    const text = (idle: string) => `id: tighten
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
sessions: { idle: ${idle}, absolute: 12h, renewal: requests }
`;
    await publish(apps.pool, text('30m'));
    const app = await apps.fastify({ policy: { published: 'tighten' } });
    const { headers, identityId } = await apps.signIn();
    expect((await app.get('/', headers)).status).toBe(200);
    apps.aheadMs = 11 * minute;
    expect((await app.get('/', { ...headers, ...background })).status).toBe(200);
    await publish(apps.pool, text('10m'));
    await app.guard.refresh();
    expect((await app.get('/', headers)).status).toBe(401);
    expect(await readAudit(apps.pool, identityId)).toMatchObject([{ policyId: 'tighten', policyVersion: 2 }]);
  });

  test('a published policy that loses its section is told once, and what was read before stays in force', async () => {
    const text = (more: string) => `id: loses
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
${more}`;
    await publish(apps.pool, text('sessions: { idle: 30m, absolute: 12h, renewal: requests }\n'));
    const app = await apps.fastify({ policy: { published: 'loses' } });
    const { headers } = await apps.signIn();
    expect((await app.get('/', headers)).status).toBe(200);
    await publish(apps.pool, text(''));
    for (let read = 0; read < 3; read += 1) await app.guard.refresh();
    expect(app.log.filter(({ name }) => name === 'ConfigError')).toMatchObject([
      { event: 'session_guard_failed', problem: expect.stringContaining('has no section "sessions"') },
    ]);
    expect((await app.get('/', headers)).status).toBe(200);
    apps.aheadMs = 31 * minute;
    expect((await app.get('/', headers)).status).toBe(401);
  });

  test('a route that wants a fresh sign-in answers 401 by RFC 9470 until the person signed in again', async () => {
    const app = await apps.fastify({
      policy: {
        idle: '30m',
        absolute: '12h',
        renewal: 'requests',
        stepUp: { '/delete': '5m', '/keys': { acr: 'aal2' } },
      },
    });
    const { headers, person, signIn } = await apps.signIn();
    expect((await app.get('/delete', headers)).status).toBe(200);
    apps.aheadMs = 6 * minute;
    const stale = await app.get('/delete', headers);
    expect(stale.status).toBe(401);
    expect(stale.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication".*max_age="300"/,
    );
    expect(await bodyOf(stale)).toEqual({ error: 'insufficient_user_authentication', max_age: 300 });
    const weak = await app.get('/keys', headers);
    expect(weak.headers.get('www-authenticate')).toContain('acr_values="aal2"');
    // The clock of the apps is ahead of Kratos', where the person signs in now: back to the same time.
    apps.aheadMs = 0;
    const before = await apps.row(signIn.sessionId);
    await apps.people.reauthenticate(person, signIn);
    const again = await apps.fastify({
      policy: { idle: '30m', absolute: '12h', stepUp: { '/delete': '5m' } },
    });
    expect((await again.get('/delete', headers)).status).toBe(200);
    const after = await apps.row(signIn.sessionId);
    expect(Number(after?.authenticated_at)).toBeGreaterThan(Number(before?.authenticated_at));
  });

  test('a lease keeps an operation of three times idle, ends with the absolute limit, and is exhausted without the person', async () => {
    const app = await apps.fastify({
      policy: { idle: '5m', absolute: '1h', warnBefore: '30s', lease: { atMost: '40m', beat: '1m' } },
    });
    const { headers } = await apps.signIn();
    const beat = () => app.send('POST', '/session/lease', headers, { path: '/upload' });
    for (let minutes = 0; minutes <= 15; minutes += 3) {
      apps.aheadMs = minutes * minute;
      expect((await beat()).status).toBe(200);
    }
    expect((await app.send('DELETE', '/session/lease', headers)).status).toBe(204);
    apps.aheadMs = 19 * minute;
    expect((await app.send('POST', '/session/renew', headers)).status).toBe(200);
    for (let minutes = 22; minutes <= 58; minutes += 4) {
      apps.aheadMs = minutes * minute;
      expect((await beat()).status).toBe(200);
    }
    apps.aheadMs = 59.5 * minute;
    expect(await bodyOf(await beat())).toMatchObject({ error: 'lease_exhausted' });
    apps.aheadMs = 61 * minute;
    expect(await bodyOf(await beat())).toMatchObject({ reason: 'absolute' });
  });

  test('a lost beat lets the idle time count from the last one', async () => {
    const app = await apps.fastify({ policy: { idle: '5m', absolute: '1h', warnBefore: '30s' } });
    const { headers } = await apps.signIn();
    apps.aheadMs = 4 * minute;
    expect((await app.send('POST', '/session/lease', headers)).status).toBe(200);
    apps.aheadMs = 8 * minute;
    expect((await app.get('/', headers)).status).toBe(200);
    apps.aheadMs = 9 * minute + 1_000;
    expect((await app.get('/', headers)).status).toBe(401);
  });

  test('in presence mode a request renews nothing', async () => {
    const app = await apps.fastify({ policy: { idle: '30m', absolute: '12h' } });
    const { headers } = await apps.signIn();
    apps.aheadMs = 29 * minute;
    expect((await app.get('/', headers)).status).toBe(200);
    apps.aheadMs = 31 * minute;
    expect((await app.get('/', headers)).status).toBe(401);
  });

  test('a page is sent to the sign-in, and a public route needs no session', async () => {
    const app = await apps.fastify({ signInUrl: (_request, { reason }) => `/login?reason=${reason}` });
    const page = await app.get('/home', { accept: 'text/html' });
    expect([page.status, page.headers.get('location')]).toEqual([303, '/login?reason=none']);
    expect(await bodyOf(await app.get('/public', {}))).toEqual({ who: null });
    const { headers, identityId } = await apps.signIn();
    expect(await bodyOf(await app.get('/public', headers))).toEqual({ who: identityId });
  });
});

describe('sessions of a person', () => {
  test('are listed, ended one by one, and all but this one', async () => {
    const app = await apps.fastify();
    const { headers, person } = await apps.signIn();
    const others = [await apps.people.signIn(person), await apps.people.signIn(person)];
    const list = async () => (await bodyOf(await app.get('/session/list', headers))).sessions;
    expect(await list()).toHaveLength(3);
    expect((await list()).filter(({ current }) => current)).toHaveLength(1);
    expect((await app.send('POST', '/session/end', headers, { id: others[0]?.sessionId })).status).toBe(204);
    expect(await list()).toHaveLength(2);
    const stranger = await apps.signIn();
    await app.get('/', stranger.headers);
    expect((await app.send('POST', '/session/end', headers, { id: stranger.signIn.sessionId })).status).toBe(
      204,
    );
    expect((await app.get('/', stranger.headers)).status).toBe(200);
    expect((await app.send('POST', '/session/end', headers, { others: true })).status).toBe(204);
    expect(await list()).toMatchObject([{ current: true }]);
    for (const other of others) expect(other && (await apps.people.isSignedIn(other))).toBe(false);
  });
});

test('a session that an administrator ended in Kratos is refused once Kratos is asked again', async () => {
  const { adminUrl } = inject('stack').kratos;
  const remembers = await apps.fastify();
  const asks = await apps.fastify({ verifyMs: 0 });
  const { headers, signIn } = await apps.signIn();
  for (const app of [remembers, asks]) expect((await app.get('/', headers)).status).toBe(200);
  const ended = await fetch(`${adminUrl}/admin/sessions/${signIn.sessionId}`, { method: 'DELETE' });
  expect(ended.status).toBe(204);
  expect(await bodyOf(await asks.get('/', headers))).toMatchObject({ error: 'no_session' });
  // Within `verifyMs` Kratos' last answer counts.
  expect((await remembers.get('/', headers)).status).toBe(200);
});

describe('a sweep', () => {
  test('ends what is over a limit though nobody asks, and leaves who is there', async () => {
    const app = await apps.fastify();
    const [gone, there] = [await apps.signIn(), await apps.signIn()];
    await app.get('/', gone.headers);
    await app.get('/', there.headers);
    apps.aheadMs = 31 * minute;
    await apps.pool.query('UPDATE idle_session SET last_active_at = $2 WHERE session_id = $1', [
      there.signIn.sessionId,
      new Date(apps.now()),
    ]);
    expect(await app.guard.sweep()).toMatchObject({ failed: 0 });
    expect(await apps.people.isSignedIn(gone.signIn)).toBe(false);
    expect(await apps.people.isSignedIn(there.signIn)).toBe(true);
    expect(await readAudit(apps.pool, gone.identityId)).toMatchObject([
      { eventType: 'session_expired_idle', detail: { idleMinutes: 31 } },
    ]);
    expect(await app.guard.sweep()).toEqual({ ended: 0, closed: 0, failed: 0 });
  });

  test('carries out in Kratos what a guard without its admin API ended', async () => {
    const { publicUrl } = inject('stack').kratos;
    const app = await apps.fastify({ kratos: { publicUrl } });
    const { headers, signIn } = await apps.signIn();
    await app.get('/', headers);
    apps.aheadMs = 31 * minute;
    expect((await app.get('/', headers)).status).toBe(401);
    expect(await apps.people.isSignedIn(signIn)).toBe(true);
    const other = await apps.fastify();
    expect(await other.guard.sweep()).toMatchObject({ ended: 0, closed: 1 });
    expect(await apps.people.isSignedIn(signIn)).toBe(false);
  });

  test('shows the choice that a request was judged by, also when news of it arrives in between', async () => {
    const policy = { idle: '30m', absolute: '12h', choices: { offered: [0, '15m', '60m'] } };
    const app = await apps.fastify({ policy });
    const { headers } = await apps.signIn();
    const live = async () => {
      const decision = await app.guard.decide({ headers, path: '/' });
      if (decision.kind !== 'live') throw new Error(`the session is ${decision.kind}`);
      return decision;
    };
    expect(await app.guard.own.choose(await live(), 15 * minute)).toBe(true);
    const judged = await live();
    // Forgets what the guard has in memory of the person's sessions, as the notification does.
    await app.guard.own.choose(judged, 15 * minute);
    expect(app.guard.own.choices(judged)).toEqual({ offered: [0, 15 * minute], chosen: 15 * minute });
  });

  test('honours a choice of the person', async () => {
    const policy = { idle: '30m', absolute: '12h', choices: { offered: [0, '15m'] } };
    const app = await apps.fastify({ policy });
    const { headers, signIn } = await apps.signIn();
    expect((await app.send('PUT', '/session/choice', headers, { idleMs: 15 * minute })).status).toBe(200);
    apps.aheadMs = 16 * minute;
    await app.guard.sweep();
    expect(await apps.row(signIn.sessionId)).toMatchObject({ ended_reason: 'idle', ended_rule: 'choice' });
  });
});

describe('a Hydra login that was linked', () => {
  test('ends with the session', async () => {
    const app = await apps.fastify();
    const { headers, signIn } = await apps.signIn();
    await app.get('/', headers);
    expect(await app.guard.linkLogin(signIn.sessionId, 'a-login')).toBe(true);
    await expect(app.guard.linkLogin(signIn.sessionId, 'a\u0000b')).rejects.toThrow(/loginSid/);
    expect((await app.send('POST', '/session/sign-out', headers)).status).toBe(204);
    expect(await apps.row(signIn.sessionId)).toMatchObject({
      login_sids: ['a-login'],
      closed_at: expect.any(Date),
    });
    expect(await app.guard.linkLogin(signIn.sessionId, 'another')).toBe(false);
  });

  test('is left to the sweep by a guard without Hydra', async () => {
    const app = await apps.fastify({ withoutHydra: true });
    const { headers, signIn } = await apps.signIn();
    await app.get('/', headers);
    await app.guard.linkLogin(signIn.sessionId, 'a-login');
    await app.send('POST', '/session/sign-out', headers);
    expect(await apps.people.isSignedIn(signIn)).toBe(false);
    expect(await app.guard.sweep()).toMatchObject({ closed: 0, failed: 0 });
    expect(await apps.row(signIn.sessionId)).toMatchObject({ closed_at: null });
    expect(await (await apps.fastify()).guard.sweep()).toMatchObject({ closed: 1 });
    expect(await apps.row(signIn.sessionId)).toMatchObject({ closed_at: expect.any(Date) });
  });
});

describe('a WebSocket', () => {
  class FakeSocket extends EventEmitter {
    readonly closed: [number, string][] = [];
    close(code: number, reason: string): void {
      this.closed.push([code, reason]);
    }
  }

  test('is closed with 1008 when its session ends, by a limit or elsewhere', async () => {
    const app = await apps.fastify();
    const other = await apps.fastify();
    const { headers } = await apps.signIn();
    const socket = new FakeSocket();
    const { renew } = watchSocket(app.guard, socket, { headers, path: '/chat' });
    await renew();
    expect(socket.closed).toEqual([]);
    await other.send('POST', '/session/sign-out', headers);
    await until('the socket is closed', () => socket.closed.length > 0);
    expect(socket.closed).toEqual([[1008, 'session_ended: signed_out']]);
    const second = await apps.signIn();
    const late = new FakeSocket();
    const watched = watchSocket(app.guard, late, { headers: second.headers, path: '/chat' });
    await watched.renew();
    apps.aheadMs = 31 * minute;
    await watched.renew();
    expect(late.closed).toEqual([[1008, 'session_ended: idle']]);
  });

  test('without a session is closed at once', async () => {
    const app = await apps.fastify();
    const socket = new FakeSocket();
    watchSocket(app.guard, socket, { headers: {}, path: '/chat' });
    await until('the socket is closed', () => socket.closed.length > 0);
    expect(socket.closed).toEqual([[1008, 'no_session']]);
  });
});

describe('while something is away', () => {
  test('PostgreSQL: requests are refused with a SECURITY line, and the same session works afterwards', async () => {
    const target = new URL(apps.appUrl);
    const wire = await startWire({ host: target.hostname, port: Number(target.port) });
    const through = new URL(apps.appUrl);
    through.port = String(wire.port);
    const app = await apps.fastify({ postgresUrl: through.href, staleMs: 100, pollMs: 50 });
    const { headers } = await apps.signIn();
    expect((await app.get('/home', headers)).status).toBe(200);
    wire.freeze();
    const refused = await until('a refusal', async () => {
      const answer = await app.get('/home', headers);
      return answer.status === 503 && answer;
    });
    expect(refused.headers.get('set-cookie')).toBeNull();
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(app.log).toContainEqual(
      expect.objectContaining({ category: 'SECURITY', event: 'session_unjudged', system: 'PostgreSQL' }),
    );
    expect(await bodyOf(await app.get('/open', headers))).toEqual({ served: true });
    expect((await app.get('/session/status', headers)).status).toBe(503);
    wire.replace();
    await until('service again', async () => (await app.get('/home', headers)).status === 200);
    await app.close();
    await wire.close();
  });

  test('Kratos: a request that needs it is refused, and nothing ends', async () => {
    const { headers, signIn } = await apps.signIn();
    const app = await apps.fastify({ kratos: { publicUrl: 'http://127.0.0.1:1' } });
    expect((await app.get('/home', headers)).status).toBe(503);
    expect(app.log).toContainEqual(expect.objectContaining({ system: 'Kratos' }));
    expect(await apps.people.isSignedIn(signIn)).toBe(true);
  });
});

describe('a clock with fractions of a millisecond', () => {
  test('ends a session as any other does', async () => {
    const app = await apps.fastify({ clock: () => apps.now() + 0.7 });
    const { headers } = await apps.signIn();
    for (let request = 0; request < 3; request += 1) {
      expect((await app.get('/', headers)).status).toBe(200);
      apps.aheadMs += 1_000;
    }
    apps.aheadMs += 31 * minute;
    expect((await app.get('/', headers)).status).toBe(401);
  });
});

describe('writes', () => {
  test('of a session happen once in its window, and the last presence arrives at its end', async () => {
    const app = await apps.fastify({ writeEveryMs: 1_000, pollMs: 60_000 });
    const { headers, signIn } = await apps.signIn();
    await app.get('/', headers);
    const before = app.guard.counters().writes;
    for (let request = 0; request < 50; request += 1) await app.get('/', headers);
    const last = apps.now();
    await until('the last presence arrives', async () => {
      const row = await apps.row(signIn.sessionId);
      return Number(row?.last_active_at) >= last - 1_000 && app.guard.counters().writes > before;
    });
    expect(app.guard.counters().writes - before).toBeLessThanOrEqual(10);
  });

  test('that are not well under the limit are refused at the start', async () => {
    await expect(apps.fastify({ writeEveryMs: 10 * minute })).rejects.toThrow(
      /writeEveryMs is 600000.*Write 360000 at most/,
    );
  });

  test('a policy with a wrong field is refused at the start, and the field is named', async () => {
    await expect(apps.fastify({ policy: { idle: '30', absolute: '12h' } })).rejects.toThrow(
      /idle: is neither "none" nor a duration/,
    );
  });

  test.each([
    ['was never published', 'nothing-of-the-kind', /was never published/],
    ['has no section for sessions', 'ladder-only', /has no section "sessions"/],
  ])('under a published policy that %s are refused at the start', async (_what, published, message) => {
    if (published === 'ladder-only') {
      await publish(
        apps.pool,
        `id: ladder-only
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`,
      );
    }
    await expect(apps.fastify({ policy: { published } })).rejects.toThrow(message);
  });

  test('an app can neither bring an ended session back nor end one without an entry in the log', async () => {
    const app = await apps.fastify();
    const { headers, signIn } = await apps.signIn();
    await app.get('/', headers);
    await app.send('POST', '/session/sign-out', headers);
    const { createPool } = await import('../../src/postgres/pool.js');
    const pool = createPool({ url: apps.appUrl });
    const id = [signIn.sessionId];
    await expect(
      pool.query('UPDATE idle_session SET ended_at = NULL WHERE session_id = $1', id),
    ).rejects.toThrow(/permission denied/);
    await expect(
      pool.query('UPDATE idle_session SET last_active_at = now() WHERE session_id = $1', id),
    ).rejects.toThrow(/stays ended/);
    await expect(pool.query('DELETE FROM idle_session WHERE session_id = $1', id)).rejects.toThrow(
      /permission denied/,
    );
    await pool.end();
  });
});
