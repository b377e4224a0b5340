/** Tokens that are had anew: what other commands did meanwhile counts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Context, changeContexts, readContexts } from '../../src/cli/contexts-file.js';
import { exitCodes } from '../../src/cli/exit-codes.js';
import { freshAccessToken } from '../../src/cli/sign-in-tokens.js';

const gateway = 'https://desk.example';
let server: Server;
let issuer: string;
let home: string;
let path: string;
/** What happens while the issuer is asked. */
let meanwhile: () => Promise<void>;
/** The status that the issuer answers in place of a token. */
let refusal: number | undefined;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url !== '/token')
      return response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }));
    await meanwhile();
    if (refusal !== undefined) {
      response.statusCode = refusal;
      return response.end(JSON.stringify({ error: 'invalid_grant', error_description: 'of bob' }));
    }
    return response.end(JSON.stringify({ access_token: 'renewed', token_type: 'Bearer', expires_in: 60 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tokens-'));
  path = join(home, 'contexts.json');
  meanwhile = async () => undefined;
  refusal = undefined;
  await keep({ gateway, signIn: signedIn('ended', 0) });
});
afterEach(() => rm(home, { recursive: true }));

const signedIn = (accessToken: string, expiresAt: number) => ({
  ...{ issuer, clientId: 'dormouse-cli', accessToken, refreshToken: 'for more', expiresAt },
});
const keep = (context: Context) =>
  changeContexts(path, () => ({ current: 'production', contexts: { production: context } }));
const fresh = () => freshAccessToken(path, 'production', gateway);

it('a token that ended is had anew, and kept with the refresh token that still counts', async () => {
  expect(await fresh()).toBe('renewed');
  expect((await readContexts(path)).contexts.production?.signIn).toMatchObject({
    ...{ accessToken: 'renewed', refreshToken: 'for more' },
  });
});

it.each<[string, () => Context]>([
  ['at another gateway', () => ({ gateway: 'https://other.example', token: 'of the other' })],
  ['once more', () => ({ gateway, signIn: signedIn('newer', 1) })],
])('a sign-in %s is not undone by it', async (_what, context) => {
  meanwhile = () => keep(context());
  expect(await fresh()).toBe('renewed');
  expect((await readContexts(path)).contexts.production).toEqual(context());
});

it('a sign-out is not undone by it', async () => {
  meanwhile = () => changeContexts(path, () => ({ contexts: {} }));
  await fresh();
  expect(await readContexts(path)).toEqual({ contexts: {} });
});

it.each([
  ['takes the refresh token no more', 400, exitCodes.notAllowed, /has ended/],
  ['fails', 503, exitCodes.unavailable, /write the command again/],
  ['is asked too often', 429, exitCodes.unavailable, /write the command again/],
])('where the issuer %s, a script can tell by the exit code', async (_what, status, exitCode, message) => {
  refusal = status;
  const error = await fresh().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode, message: expect.stringMatching(message) });
  expect(String(error)).not.toContain('bob');
  expect((await readContexts(path)).contexts.production?.signIn?.refreshToken).toBe('for more');
});

it('an issuer that can not be reached has ended no sign-in', async () => {
  await keep({ gateway, signIn: { ...signedIn('ended', 0), issuer: 'http://127.0.0.1:1' } });
  await expect(fresh()).rejects.toMatchObject({ exitCode: exitCodes.unavailable });
});
