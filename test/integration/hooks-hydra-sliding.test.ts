/** Sliding access with a real Hydra: a token only while the session behind the sign-in is live, and none by a refresh. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OAuthClient } from '../../dev/demo/authorization-code-flow.js';
import type { OryPeople } from '../../dev/demo/ory-people.js';
import { publishedPolicy } from '../../src/gateway/published-policy.js';
import { slidingAccess } from '../../src/gateway/sliding-access.js';
import { admitSession, endSession, linkLogin } from '../../src/sessions/sessions-table.js';
import { AskingHydra } from '../support/asking-hydra.js';
import { publish } from '../support/publish.js';

const minute = 60_000;
const policyId = 'sliding';
let hydra: AskingHydra;
let people: OryPeople;
let pool: pg.Pool;
let sliding: OAuthClient;
let usual: OAuthClient;
const failing = { database: false };

beforeAll(async () => {
  let admit: ReturnType<typeof slidingAccess>;
  hydra = await AskingHydra.begin({
    admitSliding: (grant) => {
      if (failing.database) throw new Error('no database');
      admit ??= slidingAccess(hydra.gateway.pool, publishedPolicy(hydra.gateway.pool, policyId));
      return admit(grant);
    },
  });
  ({ people } = hydra);
  pool = hydra.gateway.pool;
  [sliding, usual] = [await hydra.createClient(), await hydra.createClient()];
  await publish(
    pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
sessions: { idle: 30m, absolute: 12h }
tokens: { access: { sliding: true, idle: 15m, clients: [${sliding.id}] } }
`,
  );
});
afterAll(() => hydra?.end());

/** A session of the person whose last presence was a while ago. */
async function sessionOf(identityId: string, agoMs = 0): Promise<string> {
  const sessionId = randomUUID();
  const at = Date.now() - agoMs;
  await admitSession(pool, {
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
  hydra.authorize(client, identityId, async (loginSid) => {
    if (sessionId !== undefined) expect(await linkLogin(pool, sessionId, loginSid)).toBe(true);
    await meanwhile?.();
  });

const refreshOf = async (client: OAuthClient, refreshToken: string) =>
  (await hydra.refresh(client, refreshToken)).status;

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
    await endSession(pool, { sessionId, reason: 'signed_out', endedAt: now }, now);
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
