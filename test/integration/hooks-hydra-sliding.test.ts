/** Sliding access with a real Hydra: a token only while the session behind the sign-in is live, and none by a refresh. */
import { randomUUID } from 'node:crypto';
import { Configuration, OAuth2Api } from '@ory/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { authorizeByCode, type OAuthClient } from '../../dev/demo/authorization-code-flow.js';
import { OryPeople } from '../../dev/demo/ory-people.js';
import { type RunningStack, startStack } from '../../dev/stack/index.js';
import { publishedPolicy } from '../../src/gateway/published-policy.js';
import { slidingAccess } from '../../src/gateway/sliding-access.js';
import { prepareDatabase } from '../../src/postgres/prepare.js';
import { admitSession, endSession, linkLogin } from '../../src/sessions/sessions-table.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { listenGateway, type TestGateway } from '../support/gateway.js';
import { publish } from '../support/publish.js';

const minute = 60_000;
const policyId = 'sliding';
let own: RunningStack;
let gateway: TestGateway;
let people: OryPeople;
let oauth2: OAuth2Api;
let sliding: OAuthClient;
let usual: OAuthClient;
const failing = { database: false };

async function createClient(): Promise<OAuthClient> {
  const redirectUri = 'http://127.0.0.1:4455/callback';
  const { data } = await oauth2.createOAuth2Client({
    oAuth2Client: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid offline_access',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
    },
  });
  return { id: data.client_id ?? '', secret: data.client_secret ?? '', redirectUri };
}

beforeAll(async () => {
  const options = {
    dataDirectory: 'unused',
    ephemeral: true,
    worker: false,
    gateway: false,
    tokenHook: true,
  };
  own = await startStack(options);
  await prepareDatabase({ url: own.info.postgres.runtimeUrl, migrationUrl: own.info.postgres.url });
  let admit: ReturnType<typeof slidingAccess>;
  gateway = await listenGateway({
    stack: own.info,
    atStackUrl: true,
    more: {
      hooks: {
        hydra: {
          keys: [own.info.gateway.hookKeys.hydra],
          readStanding: (id) => readTokenStanding(gateway.pool, id),
          onFailure: 'closed',
          admitSliding: (grant) => {
            if (failing.database) throw new Error('no database');
            admit ??= slidingAccess(gateway.pool, publishedPolicy(gateway.pool, policyId));
            return admit(grant);
          },
        },
      },
    },
  });
  people = new OryPeople(own.info);
  oauth2 = new OAuth2Api(new Configuration({ basePath: own.info.hydra.adminUrl }));
  [sliding, usual] = [await createClient(), await createClient()];
  await publish(
    gateway.pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
sessions: { idle: 30m, absolute: 12h }
tokens: { access: { sliding: true, idle: 15m, clients: [${sliding.id}] } }
`,
  );
});
afterAll(async () => {
  await gateway?.close();
  await own?.stop();
});

/** A session of the person whose last presence was a while ago. */
async function sessionOf(identityId: string, agoMs = 0): Promise<string> {
  const sessionId = randomUUID();
  const at = Date.now() - agoMs;
  await admitSession(gateway.pool, {
    ...{ sessionId, identityId, authenticatedAt: at, latestAt: at, assurance: 'aal1' as const },
    ...{ devices: [], roles: [], policyId },
  });
  return sessionId;
}

const authorize = (
  client: OAuthClient,
  identityId: string,
  sessionId?: string,
  meanwhile?: () => Promise<void>,
) =>
  authorizeByCode(own.info.hydra.publicUrl, oauth2, client, identityId, async (loginSid) => {
    if (sessionId !== undefined) expect(await linkLogin(gateway.pool, sessionId, loginSid)).toBe(true);
    await meanwhile?.();
  });

async function refreshOf(client: OAuthClient, refreshToken: string): Promise<number> {
  const answer = await fetch(new URL('/oauth2/token', own.info.hydra.publicUrl), {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'refresh_token', refresh_token: refreshToken },
      ...{ client_id: client.id, client_secret: client.secret },
    }),
  });
  return answer.status;
}

it('a client with sliding access gets a token for a live session, and none by a refresh', async () => {
  const { id } = await people.create('sliding');
  const tokens = await authorize(sliding, id, await sessionOf(id, 29 * minute));
  expect(await people.isTokenActive(tokens.accessToken)).toBe(true);
  expect(await refreshOf(sliding, tokens.refreshToken)).toBe(403);
});

it.each([
  ['no session is linked to the login', async () => undefined],
  ['nobody was there for the idle limit', (id: string) => sessionOf(id, 30 * minute)],
  ['the session is somebody else’s', async () => sessionOf((await people.create('sliding')).id)],
])('it gets none where %s', async (_what, begin) => {
  const { id } = await people.create('sliding');
  await expect(authorize(sliding, id, await begin(id))).rejects.toThrow(/403/);
});

it('it gets none where the session ends between the sign-in and the code’s exchange', async () => {
  const { id } = await people.create('sliding');
  const sessionId = await sessionOf(id);
  const signOut = async () => {
    const now = Date.now();
    await endSession(gateway.pool, { sessionId, reason: 'signed_out', endedAt: now }, now);
  };
  await expect(authorize(sliding, id, sessionId, signOut)).rejects.toThrow(/403/);
});

it('other clients go on as before', async () => {
  const { id } = await people.create('sliding');
  const { refreshToken } = await authorize(usual, id);
  expect(await refreshOf(usual, refreshToken)).toBe(200);
});

it('while PostgreSQL is away nobody gets a token, and it may be asked for again', async () => {
  const { id } = await people.create('sliding');
  const sessionId = await sessionOf(id);
  failing.database = true;
  await expect(authorize(sliding, id, sessionId)).rejects.toThrow(/50\d|without tokens/);
  failing.database = false;
  const tokens = await authorize(sliding, id, sessionId);
  expect(await people.isTokenActive(tokens.accessToken)).toBe(true);
});
