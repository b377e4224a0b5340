/** The guard of access tokens with tokens of the real Hydra, verified by its own key set. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { authorizeByCode, type OAuthClient } from '../../dev/demo/authorization-code-flow.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { audience, minute, type TokenApp, TokenApps } from '../support/token-apps.js';
import { until } from '../support/until.js';

const { hydra, kratos } = inject('stack');
const people = new OryPeople({ hydra, kratos });
const redirectUri = 'http://127.0.0.1:4455/callback';
let apps: TokenApps;
let app: TokenApp;
let client: OAuthClient;

beforeAll(async () => {
  apps = await TokenApps.begin();
  const { data } = await people.oauth2.createOAuth2Client({
    oAuth2Client: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid offline_access',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
      access_token_strategy: 'jwt',
      audience: [audience],
    },
  });
  client = { id: data.client_id ?? '', secret: data.client_secret ?? '', redirectUri };
  const discovery = await fetch(new URL('/.well-known/openid-configuration', hydra.publicUrl));
  const { issuer, jwks_uri: jwksUrl } = (await discovery.json()) as { issuer: string; jwks_uri: string };
  app = await apps.fastify({ keys: { jwksUrl }, issuer, verifyTimeoutMs: 20_000 });
});
afterEach(() => {
  apps.aheadMs = 0;
});
afterAll(() => apps.close());

async function signIn(forApi?: string): Promise<{ identityId: string; token: string }> {
  const { id: identityId } = await people.create('tokens');
  const tokens = await authorizeByCode(hydra.publicUrl, people.oauth2, client, identityId, undefined, forApi);
  return { identityId, token: tokens.accessToken };
}

async function ask(token: string): Promise<unknown[]> {
  const answer = await app.get('/', token);
  return [answer.status, await answer.json()];
}

test('a token of Hydra is good while it is used, and ends after 20 minutes without', async () => {
  const { identityId, token } = await signIn(audience);
  expect(await ask(token)).toMatchObject([200, { who: identityId }]);
  apps.aheadMs = 15 * minute;
  expect(await ask(token)).toMatchObject([200, { who: identityId }]);
  apps.aheadMs = 35 * minute;
  expect(await ask(token)).toMatchObject([401, { end: 'idle', reason: 'idle' }]);
});

test('a revocation of all of a person ends it', async () => {
  const { identityId, token } = await signIn(audience);
  expect(await ask(token)).toMatchObject([200, { who: identityId }]);
  await writeNotBefore(apps.database.pool, identityId, apps.now() + 1_000);
  await until('the token is refused', async () => (await app.get('/', token)).status === 401);
  expect(await ask(token)).toMatchObject([401, { end: 'revoked', reason: 'revoked' }]);
});

test('one that names no API is refused', async () => {
  const { token } = await signIn();
  expect(await ask(token)).toMatchObject([401, { end: 'error', reason: 'audience' }]);
});
