import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ActivityOptions } from '../../src/middleware/options.js';
import { type AnsweredRequest, createSignObserver } from '../../src/middleware/sign-observer.js';
import { noteTaker, type Served, serve } from './support.js';

const identityId = randomUUID();
const served: Served[] = [];
afterEach(() => Promise.all(served.splice(0).map((server) => server.close())));

async function kratos(answer: (request: IncomingMessage) => object | undefined) {
  const server = await serve((http) =>
    http.on('request', (request, response) => {
      const body = answer(request);
      if (body === undefined) return;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    }),
  );
  served.push(server);
  return server;
}

const session = (more: object = {}) => ({
  id: randomUUID(),
  active: true,
  identity: { id: identityId, state: 'active' },
  ...more,
});

const request = (headers: Record<string, string>, more: Partial<AnsweredRequest<object>> = {}) => ({
  request: {},
  headers,
  status: 200,
  at: Date.now(),
  ...more,
});
const sessionRequest = (token = 'token', more: Partial<AnsweredRequest<object>> = {}) =>
  request({ 'x-session-token': token }, more);

function observer(options: Partial<ActivityOptions<object>>) {
  const dormouse = noteTaker();
  return { dormouse, ...observed(createSignObserver<object>({ dormouse, ...options })) };
}
const observed = (made: ReturnType<typeof createSignObserver<object>>) => ({
  observe: (answered: AnsweredRequest<object>) => made.observe(answered),
  counters: () => made.counters(),
});

test('refuses options without a way to verify requests', () => {
  expect(() => createSignObserver({ dormouse: noteTaker() })).toThrow(/pass kratos, tokens, or identify/);
});

describe('what counts', () => {
  test('answers that let the caller in, and no others', () => {
    const { observe, dormouse } = observer({ identify: () => ({ identityId, kind: 'human' }) });
    for (const status of [200, 204, 304]) observe(request({}, { status }));
    expect(dormouse.noted).toHaveLength(3);
    for (const status of [101, 302, 303, 307, 400, 401, 403, 404, 429, 500, 503])
      observe(request({}, { status }));
    expect(dormouse.noted).toHaveLength(3);
  });

  test('not background requests: the header only ever reduces the signs', () => {
    const ignore = vi.fn(() => false);
    const { observe, dormouse, counters } = observer({
      identify: () => ({ identityId, kind: 'human' }),
      ignore,
    });
    observe(request({ 'x-dormouse-background': '1' }));
    expect(dormouse.noted).toEqual([]);
    ignore.mockReturnValueOnce(true);
    observe(request({}));
    expect(dormouse.noted).toEqual([]);
    expect(counters().ignored).toBe(2);
  });

  test('the time is that of the request', () => {
    const { observe, dormouse } = observer({
      identify: () => ({ identityId, kind: 'human' }),
      source: 'shop',
    });
    observe(request({}, { at: 1_790_000_000_000 }));
    expect(dormouse.noted).toEqual([{ identityId, at: 1_790_000_000_000, kind: 'human', source: 'shop' }]);
  });
});

/** A bound against hanging, no measure of speed. */
const patience = { timeout: 20_000 };

describe('asking Kratos', () => {
  test('shows it the session cookies only', async () => {
    const seen: unknown[] = [];
    const server = await kratos(({ headers }) => {
      seen.push(headers.cookie);
      return session();
    });
    const { observe, dormouse } = observer({ kratos: { publicUrl: server.url } });
    observe(request({ cookie: 'basket=1; ory_kratos_session=abc; secret=2; ory_kratos_session_x=d' }));
    await vi.waitFor(() => expect(dormouse.ids()).toEqual([identityId]), patience);
    expect(seen).toEqual(['ory_kratos_session=abc; ory_kratos_session_x=d']);
  });

  test('asks once for many requests of one session, and remembers', async () => {
    const server = await kratos(() => session());
    const { observe, dormouse } = observer({ kratos: { publicUrl: server.url } });
    for (let index = 0; index < 30; index += 1) observe(sessionRequest('token', { at: 1_000 + index }));
    await vi.waitFor(() => expect(dormouse.noted).toHaveLength(1), patience);
    expect(dormouse.noted[0]?.at).toBe(1_029);
    observe(sessionRequest());
    expect(dormouse.noted).toHaveLength(2);
    expect(server.requests()).toBe(1);
  });

  test('does not cache an answer beyond the session’s end', async () => {
    const server = await kratos(() => session({ expires_at: new Date(Date.now() - 1).toISOString() }));
    const { observe, dormouse } = observer({ kratos: { publicUrl: server.url } });
    for (const count of [1, 2]) {
      observe(sessionRequest());
      await vi.waitFor(() => expect(dormouse.noted).toHaveLength(count), patience);
    }
    expect(server.requests()).toBe(2);
  });

  test.each([
    ['a session that is not active', session({ active: false })],
    ['an identity that is not active', session({ identity: { id: identityId, state: 'inactive' } })],
    ['an identity without a UUID', session({ identity: { id: 'me@example.com', state: 'active' } })],
  ])('%s is nobody', async (_name, body) => {
    const server = await kratos(() => body);
    const { observe, dormouse, counters } = observer({ kratos: { publicUrl: server.url } });
    observe(sessionRequest());
    await vi.waitFor(() => expect(counters().anonymous).toBe(1), patience);
    expect(dormouse.noted).toEqual([]);
  });

  test('an answer that is no session is a failure, and notes nobody', async () => {
    const server = await kratos(() => ({ hello: 'world' }));
    const { observe, dormouse, counters } = observer({ kratos: { publicUrl: server.url } });
    observe(sessionRequest());
    await vi.waitFor(() => expect(counters().failed).toBe(1), patience);
    expect(dormouse.noted).toEqual([]);
  });

  test('a credential of absurd length causes no request', async () => {
    const server = await kratos(() => session());
    const { observe, counters } = observer({ kratos: { publicUrl: server.url } });
    observe(sessionRequest('x'.repeat(9_000)));
    expect(counters().anonymous).toBe(1);
    expect(server.requests()).toBe(0);
  });
});

describe('when the issuer is slow or away', () => {
  test('no more than so many questions are under way; the rest is skipped and counted', async () => {
    const waiting: IncomingMessage[] = [];
    const server = await kratos((asked) => {
      waiting.push(asked);
      return undefined;
    });
    const giveUp = () => {
      for (const asked of waiting.splice(0)) asked.destroy();
    };
    const errors: Error[] = [];
    const { observe, counters } = observer({
      kratos: { publicUrl: server.url },
      maxInFlight: 3,
      verifyTimeoutMs: patience.timeout,
      onError: (error) => errors.push(error),
    });
    for (let index = 0; index < 50; index += 1) observe(sessionRequest(`secret-${index}`));
    expect(counters()).toMatchObject({ skipped: 47 });
    await vi.waitFor(() => expect(waiting).toHaveLength(3), patience);
    giveUp();
    await vi.waitFor(() => expect(counters().failed).toBe(3), patience);
    expect(server.requests()).toBe(3);
    for (const error of errors) {
      expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain(
        'secret-',
      );
      expect(error.cause).toBeUndefined();
    }
    observe(sessionRequest('another'));
    await vi.waitFor(() => expect(waiting).toHaveLength(1), patience);
    giveUp();
    await vi.waitFor(() => expect(counters().failed).toBe(4), patience);
  });

  test('errors of the app’s own functions and of the client are counted, never thrown', async () => {
    const broken = () => {
      throw new Error('broken');
    };
    const { observe, counters } = observer({ identify: broken, onError: broken });
    observe(request({}));
    const rejecting = observer({ identify: () => Promise.reject(new Error('broken')) });
    rejecting.observe(request({}));
    const refusing = createSignObserver<object>({
      dormouse: { noteActivity: broken },
      identify: () => ({ identityId: 'someone@example.com', kind: 'human' }),
    });
    refusing.observe(request({}));
    expect(counters().failed).toBe(1);
    expect(refusing.counters()).toMatchObject({ failed: 1, noted: 0 });
    await vi.waitFor(() => expect(rejecting.counters().failed).toBe(1), patience);
  });
});
