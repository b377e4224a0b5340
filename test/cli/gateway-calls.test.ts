/** Calls of a gateway that is slow, absent, of an earlier release, or no gateway at all. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkedGatewayUrl, checkedToken, GatewayCalls } from '../../src/cli/gateway-calls.js';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

const token = 'dmc_the-credential';
async function answering(listener: RequestListener): Promise<GatewayCalls> {
  const one = createServer(listener);
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const { port } = one.address() as AddressInfo;
  return new GatewayCalls({ url: `http://127.0.0.1:${port}`, context: 'prod', token: async () => token });
}
const json =
  (status: number, body: object): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
const problem = (error: string) => ({ error, message: `it is ${error}` });

describe('an answer of the gateway', () => {
  it('is as long as a command takes, and no longer', async () => {
    const people = 'x'.repeat(1_000);
    const calls = await answering(json(200, { people }));
    expect(await calls.post('/v1/x', {}, { longest: 2_000 })).toEqual({ people });
    await expect(calls.post('/v1/x', {}, { longest: 999 })).rejects.toThrow(/too long/);
    await expect(calls.get('/v1/x', {}, { longest: 999 })).rejects.toThrow(/too long/);
  });

  it('that lists a whole population is taken where a command asks for that', async () => {
    const calls = await answering(json(200, { people: 'x'.repeat(20_000_001) }));
    const { people } = await calls.post<{ people: string }>('/v1/x', {}, { longest: 30_000_000 });
    expect(people).toHaveLength(20_000_001);
    await expect(calls.post('/v1/x')).rejects.toThrow(/too long/);
  });

  it.each([
    ['a refusal of what was asked', json(400, problem('invalid_request')), 1, /^it is invalid_request$/],
    [
      'a credential that does not hold',
      json(401, problem('unauthorized')),
      3,
      /context "prod".*dormouse login/,
    ],
    ['a scope that is missing', json(403, problem('insufficient_scope')), 3, /^it is insufficient_scope$/],
    ['an identity that is not known', json(404, problem('not_enrolled')), 4, /^it is not_enrolled$/],
    [
      'a route that is not there',
      json(404, problem('not_found')),
      4,
      /no such route.*DORMOUSE_OPERATORS_LISTEN/,
    ],
    ['too many requests', json(429, problem('rate_limited')), 5, /rate_limited/],
    ['PostgreSQL is away', json(503, problem('temporarily_unavailable')), 5, /temporarily/],
    [
      'the page of a proxy',
      (_r: unknown, response: { end(text: string): void }) => response.end('<html>'),
      5,
      /something else answers/,
    ],
    ['an error page of a proxy', json(502, {}), 5, /answered 502/],
    [
      'a redirect',
      (_r: unknown, response: Parameters<RequestListener>[1]) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      5,
      /does not answer/,
    ],
    [
      'a connection that breaks',
      (_r: unknown, response: Parameters<RequestListener>[1]) => response.destroy(),
      5,
      /does not answer/,
    ],
  ] as [string, RequestListener, number, RegExp][])('%s', async (_what, listener, exitCode, message) => {
    const gateway = await answering(listener);
    const refused = await gateway.get('/v1/x').catch((error: unknown) => error);
    expect(refused).toMatchObject({ exitCode, message: expect.stringMatching(message) });
    expect(String(refused)).not.toContain(token);
  });

  it('that is silent is waited for as long as was said', async () => {
    const gateway = await answering(() => undefined);
    await expect(gateway.get('/v1/x', {}, { timeoutMs: 20 })).rejects.toMatchObject({ exitCode: 5 });
  });

  it('that is cut off is no whole list', async () => {
    const gateway = await answering((_request, response) => {
      response.write('{"a":1}\n', () => response.destroy());
    });
    const read = async () => {
      for await (const _chunk of gateway.stream('/v1/x'));
    };
    await expect(read()).rejects.toMatchObject({ exitCode: 5, message: expect.stringMatching(/broke off/) });
  });
});

it('a gateway that does not know dry runs is not asked for a change', async () => {
  const asked: string[] = [];
  const gateway = await answering((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    json(404, problem('not_found'))(request, response);
  });
  await expect(gateway.change('/v1/x', {}, { dryRun: true })).rejects.toThrow(/does not know dry runs/);
  expect(asked).toEqual(['GET /v1/me']);
});

describe('the address of a gateway', () => {
  it('is https, or http on this machine, or http where that is said', () => {
    expect(checkedGatewayUrl('--gateway', 'https://desk.example/', false)).toBe('https://desk.example');
    expect(checkedGatewayUrl('--gateway', 'http://127.0.0.1:8322', false)).toBe('http://127.0.0.1:8322');
    expect(checkedGatewayUrl('--gateway', 'http://gateway:8322/a/', true)).toBe('http://gateway:8322/a');
    expect(() => checkedGatewayUrl('--gateway', 'http://gateway:8322', false)).toThrow(/plain http/);
  });

  it.each([
    'desk.example',
    'ftp://desk.example',
    'https://a:b@desk.example',
    'https://desk.example/?x=1',
    '',
  ])('is not %j', (text) => expect(() => checkedGatewayUrl('--gateway', text, true)).toThrow(/^--gateway: /));
});

it.each([
  '',
  'two words',
  'line\nbreak',
  'x'.repeat(8_193),
  'ü',
])('%j is no credential, and is not repeated', (text) => {
  expect(() => checkedToken('--token-stdin', text)).toThrow(/^--token-stdin: is no credential/);
  if (text.length > 1) expect(() => checkedToken('--token-stdin', text)).not.toThrow(text);
});
