/** The command line's sign-in by a browser on this machine: who may call its port, and what that brings about. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { signIn } from '../../src/cli/sign-in.js';

let server: Server;
let issuer: string;
let sent: URLSearchParams[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url !== '/token') return response.end(JSON.stringify(metadata()));
    sent.push(new URLSearchParams(await text(request)));
    return response.end(JSON.stringify({ access_token: 'granted', token_type: 'Bearer', expires_in: 60 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  sent = [];
});

const metadata = () => ({
  ...{ issuer, token_endpoint: `${issuer}/token`, authorization_endpoint: `${issuer}/authorize` },
  response_types_supported: ['code'],
});

/** Begins, and hands over the address that the person is to open. */
async function begin() {
  let open: (url: URL) => void;
  const asked = new Promise<URL>((resolve) => {
    open = resolve;
  });
  const request = { issuer, clientId: 'dormouse-cli', audience: 'operators', scope: 'openid', port: 0 };
  const signed = signIn(request, (line) => open(new URL(line.split('\n')[1] ?? '')));
  const { searchParams } = await asked;
  return { signed, state: searchParams.get('state') ?? '', back: searchParams.get('redirect_uri') ?? '' };
}

/** A request line that no HTTP library would send. @returns the first line of the answer */
async function sendRaw(to: string, line: string): Promise<string | undefined> {
  const { hostname, port } = new URL(to);
  const socket = connect(Number(port), hostname);
  socket.write(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return (await text(socket)).split('\r\n', 1)[0];
}

it('comes back to this machine alone, by its state', async () => {
  const { signed, state, back } = await begin();
  expect(new URL(back).hostname).toBe('127.0.0.1');
  for (const query of ['', '?code=evil', '?code=evil&state=x', '?error=access_denied&state='])
    expect((await fetch(back + query)).status).toBe(404);
  expect((await fetch(`${back}?code=good&state=${state}`)).status).toBe(200);
  expect(await signed).toMatchObject({ accessToken: 'granted', issuer });
  expect(sent.map((body) => [body.get('code'), body.get('redirect_uri')])).toEqual([['good', back]]);
});

it('goes on where some other page calls its port with what is no address', async () => {
  const { signed, state, back } = await begin();
  for (const target of ['//', 'http://[', '/callback?state=%'])
    expect(await sendRaw(back, `GET ${target} HTTP/1.1`)).toContain('404');
  await fetch(`${back}?code=good&state=${state}`);
  expect((await signed).accessToken).toBe('granted');
});

it('ends with the code of the issuer where it refuses, and with none of its words', async () => {
  const { signed, state, back } = await begin();
  const refused = expect(signed).rejects.toThrow(/^The issuer did not sign you in \(.*\)\.$/);
  await fetch(`${back}?error=access_denied&error_description=%1b%5b2Jbob&state=${state}`);
  await refused;
  await expect(signed).rejects.not.toThrow(/bob/);
});

it('keeps no connection that a browser opened ahead and did not use', async () => {
  const { signed, state, back } = await begin();
  const { hostname, port } = new URL(back);
  const ahead = connect(Number(port), hostname);
  const closed = new Promise<void>((resolve) => ahead.once('close', () => resolve()));
  ahead.on('error', () => undefined);
  await new Promise<void>((resolve) => ahead.once('connect', resolve));
  const answer = await fetch(`${back}?code=good&state=${state}`);
  expect(await answer.text()).toContain('You can close this page');
  await signed;
  await closed;
});
