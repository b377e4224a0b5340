/** The example of refresh tokens with a real Hydra: its login and consent pages, the registry, and the client with sliding access. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Person } from '../../dev/demo/ory-people.js';
import { publishedPolicy } from '../../src/gateway/published-policy.js';
import { refreshRegistry } from '../../src/gateway/refresh-registry.js';
import { slidingAccess } from '../../src/gateway/sliding-access.js';
import { AskingHydra } from '../support/asking-hydra.js';
import { loadExample, type RefreshTokensHydraExample } from '../support/examples.js';
import { publish } from '../support/publish.js';

const url = 'http://127.0.0.1:4455';
const policyId = 'example-hydra';
let hydra: AskingHydra;
let app: FastifyInstance;

beforeAll(async () => {
  let admit: ReturnType<typeof slidingAccess>;
  let follow: ReturnType<typeof refreshRegistry>;
  const published = () => publishedPolicy(hydra.gateway.pool, policyId);
  hydra = await AskingHydra.begin({
    admitSliding: (grant) => {
      admit ??= slidingAccess(hydra.gateway.pool, published());
      return admit(grant);
    },
    followGrant: (grant) => {
      follow ??= refreshRegistry(hydra.gateway.pool, published(), (error) => {
        throw error;
      });
      return follow(grant);
    },
  });
  await publish(
    hydra.gateway.pool,
    await readFile(new URL('../../examples/refresh-tokens-hydra/policy.yaml', import.meta.url), 'utf8'),
  );
  const { postgres, kratos, hydra: addresses } = hydra.info;
  const { createExample } = await loadExample<RefreshTokensHydraExample>('refresh-tokens-hydra');
  app = await createExample({
    ...{ postgresUrl: postgres.runtimeUrl, kratos, hydra: addresses, url, policyId },
    key: randomBytes(32).toString('base64'),
    // A busy machine is no outage.
    verifyTimeoutMs: 20_000,
  });
});
afterAll(async () => {
  await app?.close();
  await hydra?.end();
});

interface Answer {
  readonly status: number;
  readonly url: string;
  readonly text: string;
}

/** A browser of a person: follows redirects between the app and Hydra, and keeps the cookies of each. */
class Visitor {
  private readonly cookies = new Map<string, Map<string, string>>();

  async visit(target: string, form?: Record<string, string>): Promise<Answer> {
    let next = new URL(target, url);
    let body = form;
    for (let hops = 0; hops < 12; hops += 1) {
      const { status, headers, text } = await this.request(next, body);
      body = undefined;
      if (status < 300 || status >= 400) return { status, url: next.href, text };
      next = new URL(String(headers.location), next);
    }
    throw new Error('redirected too often');
  }

  /** A change by the app's own page. @returns the status */
  async change(path: string): Promise<number> {
    const headers = {
      ...{ cookie: this.cookieOf(new URL(url)), 'content-type': 'application/json' },
      ...{ 'x-dormouse-request': '1', 'sec-fetch-site': 'same-origin' },
    };
    return (await app.inject({ method: 'POST', url: path, headers, payload: '{}' })).statusCode;
  }

  private cookieOf({ origin }: URL): string {
    return [...(this.cookies.get(origin) ?? [])].map((pair) => pair.join('=')).join('; ');
  }

  private async request(target: URL, form?: Record<string, string>) {
    const jar = this.cookies.get(target.origin) ?? new Map<string, string>();
    this.cookies.set(target.origin, jar);
    const cookie = this.cookieOf(target);
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const headers = { cookie, 'user-agent': 'Firefox/145.0', ...(form && type) };
    const payload = form && new URLSearchParams(form).toString();
    const answer = await this.send(target, headers, payload);
    for (const line of answer.set) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split(/=(.*)/s);
      jar.set(name, value);
    }
    return answer;
  }

  private async send(target: URL, headers: Record<string, string>, payload: string | undefined) {
    const method = payload === undefined ? 'GET' : 'POST';
    if (target.origin === url) {
      const path = target.pathname + target.search;
      const answer = await app.inject({
        method,
        url: path,
        headers,
        ...(payload !== undefined && { payload }),
      });
      const set = [answer.headers['set-cookie'] ?? []].flat();
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, set };
    }
    const answer = await fetch(target, { headers, redirect: 'manual' });
    const set = answer.headers.getSetCookie();
    const location = answer.headers.get('location');
    return { status: answer.status, headers: { location }, text: await answer.text(), set };
  }
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** @returns the form's answer once the person signed in */
async function signIn(visitor: Visitor, { identifier, password }: Person, client: string): Promise<Answer> {
  const form = await visitor.visit(`/start/${client}`);
  const challenge = /name="login_challenge" value="([^"]+)"/.exec(form.text)?.[1] ?? '';
  expect(challenge).not.toBe('');
  return visitor.visit('/login', { login_challenge: challenge, identifier, password });
}

const tokensOf = ({ text }: Answer) => JSON.parse(text) as Tokens;
const refresh = async (client: string, { refresh_token: refreshToken }: Tokens) => {
  const answer = await app.inject({ method: 'POST', url: `/refresh/${client}`, payload: { refreshToken } });
  return { status: answer.statusCode, tokens: answer.json<Tokens>() };
};

it('a phone stays signed in by refreshes, is listed with its device, and ends where the person says so', async () => {
  const person = await hydra.people.create('phone');
  const visitor = new Visitor();
  const answer = await signIn(visitor, person, 'example-phone');
  expect([answer.status, answer.url]).toEqual([200, expect.stringContaining('/callback/example-phone')]);
  const next = await refresh('example-phone', tokensOf(answer));
  expect(next.status).toBe(200);
  const { families } = JSON.parse((await visitor.visit('/refresh-tokens')).text);
  expect(families).toMatchObject([{ clientId: 'example-phone', userAgent: 'Firefox/145.0' }]);
  expect(families[0].lastUsedAt).not.toBeNull();
  expect(await visitor.change('/refresh-tokens/revoke-all')).toBe(204);
  expect((await refresh('example-phone', next.tokens)).status).toBe(403);
});

it('a single-page app gets tokens for a live session without a form, and none by a refresh', async () => {
  const person = await hydra.people.create('spa');
  const visitor = new Visitor();
  const first = tokensOf(await signIn(visitor, person, 'example-spa'));
  expect(await hydra.people.isTokenActive(first.access_token)).toBe(true);
  expect((await refresh('example-spa', first)).status).toBe(403);
  const again = await visitor.visit('/start/example-spa');
  expect(again.status).toBe(200);
  expect(tokensOf(again).access_token).not.toBe(first.access_token);
});

it('after the end of its session it gets none without a new sign-in', async () => {
  const person = await hydra.people.create('spa');
  const visitor = new Visitor();
  await signIn(visitor, person, 'example-spa');
  expect(await visitor.change('/session/sign-out')).toBeLessThan(300);
  const again = await visitor.visit('/start/example-spa');
  expect(again.text).not.toContain('access_token');
  const { identifier, password } = person;
  const challenge = /name="login_challenge" value="([^"]+)"/.exec(again.text)?.[1] ?? '';
  const answer = await visitor.visit('/login', { login_challenge: challenge, identifier, password });
  expect(await hydra.people.isTokenActive(tokensOf(answer).access_token)).toBe(true);
});

it('a wrong password signs nobody in, and a callback of another browser gets no token', async () => {
  const person = await hydra.people.create('phone');
  const wrong = await signIn(new Visitor(), { ...person, password: 'wrong' }, 'example-phone');
  expect([wrong.status, wrong.text]).toEqual([401, expect.stringContaining('Address or password is wrong.')]);
  const foreign = await app.inject({ url: '/callback/example-phone?code=x&state=y' });
  expect(foreign.statusCode).toBe(400);
});
