/** The registry of refresh tokens follows a real Hydra by its token hook, and refuses families that ended. */
import type { OAuth2Api } from '@ory/client';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OAuthClient } from '../../dev/demo/authorization-code-flow.js';
import type { OryPeople } from '../../dev/demo/ory-people.js';
import { publishedPolicy } from '../../src/gateway/published-policy.js';
import { refreshRegistry } from '../../src/gateway/refresh-registry.js';
import { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { withClient } from '../../src/postgres/roles.js';
import { closeHydraFamilies } from '../../src/tokens/refresh/close-hydra.js';
import { endFamilies, readLiveFamilies } from '../../src/tokens/refresh/families-table.js';
import { AskingHydra } from '../support/asking-hydra.js';
import { publish } from '../support/publish.js';

const policyId = 'with-refresh';
let hydra: AskingHydra;
let people: OryPeople;
let oauth2: OAuth2Api;
let pool: pg.Pool;
let client: OAuthClient;
const failing = { registry: false };
const fail = (error: unknown) => {
  throw error;
};

beforeAll(async () => {
  let follow: ReturnType<typeof refreshRegistry>;
  hydra = await AskingHydra.begin({
    followGrant: (grant) => {
      if (failing.registry) throw new Error('no database');
      follow ??= refreshRegistry(hydra.gateway.pool, publishedPolicy(hydra.gateway.pool, policyId), fail);
      return follow(grant);
    },
  });
  ({ people, oauth2 } = hydra);
  pool = hydra.gateway.pool;
  await publish(
    pool,
    `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { refresh: {} }
`,
  );
  client = await hydra.createClient(['refresh_token', 'client_credentials']);
});
afterAll(() => hydra?.end());

const authorize = (id: string, onConsent?: (loginSessionId: string) => Promise<void>) =>
  hydra.authorize(client, id, onConsent);
const families = (id: string) => readLiveFamilies(pool, id);

const refresh = (refreshToken = '') => hydra.refresh(client, refreshToken);

it('each grant is a family, and its refreshes are uses of it', async () => {
  const { id } = await people.create('registry');
  const first = await authorize(id);
  await authorize(id);
  const [one, two, ...more] = await families(id);
  expect([one?.issuer, one?.clientId, one?.lastUsedAt, more]).toEqual(['hydra', client.id, undefined, []]);
  expect(one?.familyId).not.toBe(two?.familyId);
  const next = await refresh(first.refreshToken);
  expect((await refresh(next.refresh_token)).status).toBe(200);
  const after = await families(id);
  expect(after).toHaveLength(2);
  expect(after.filter(({ lastUsedAt }) => lastUsedAt !== undefined)).toHaveLength(1);
});

it('two refreshes of one token at once are one family that lives', async () => {
  const { id } = await people.create('registry');
  const { refreshToken } = await authorize(id);
  const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
  const granted = answers.filter(({ status }) => status === 200);
  expect(granted.length).toBeGreaterThan(0);
  expect((await refresh(refreshToken)).status).toBe(200);
  expect(await families(id)).toHaveLength(1);
});

it('a family that ended in the registry gets no token, and the others of its person do', async () => {
  const { id } = await people.create('registry');
  const ended = await authorize(id);
  const [family] = await families(id);
  const kept = await authorize(id);
  await endFamilies(pool, { familyIds: [family?.familyId ?? ''], why: 'by_person' }, Date.now());
  expect(await refresh(ended.refreshToken)).toMatchObject({ status: 403, error: 'access_denied' });
  expect((await refresh(kept.refreshToken)).status).toBe(200);
  // The consent of one client is one in Hydra: it waits for the last family.
  expect(await closeHydraFamilies({ pool: pool, oauth2 }, Date.now())).toMatchObject({ closed: 0 });
  expect(await people.isTokenActive(ended.refreshToken)).toBe(true);
  const [last] = await families(id);
  await endFamilies(pool, { familyIds: [last?.familyId ?? ''], why: 'by_person' }, Date.now());
  expect(await closeHydraFamilies({ pool: pool, oauth2 }, Date.now())).toEqual({
    closed: 2,
    failed: 0,
  });
  expect(await people.isTokenActive(ended.refreshToken)).toBe(false);
  expect(await closeHydraFamilies({ pool: pool, oauth2 }, Date.now())).toEqual({
    closed: 0,
    failed: 0,
  });
});

it('a family from before the registry begins with its first refresh, with the age of its sign-in', async () => {
  const { id } = await people.create('registry');
  const { refreshToken } = await authorize(id);
  await pool.query('DELETE FROM refresh_family WHERE identity_id = $1', [id]);
  expect((await refresh(refreshToken)).status).toBe(200);
  const [family] = await families(id);
  expect(family?.createdAt).toBe(family?.signedInAt);
  expect(family?.lastUsedAt).toBeGreaterThanOrEqual(family?.createdAt ?? Number.POSITIVE_INFINITY);
});

it('what the consent page noted of the device stands in the family, and another person’s does not', async () => {
  const { id } = await people.create('registry');
  const other = await people.create('registry');
  const consents = new RefreshTokens({
    postgresUrl: hydra.info.postgres.runtimeUrl,
    key: Buffer.alloc(32).toString('base64'),
    policy: {},
  });
  const note = (identityId: string) => (loginSessionId: string) =>
    consents.consent({
      ...{ identityId, clientId: client.id, loginSessionId },
      request: { headers: { 'user-agent': 'Browser/1' }, socket: { remoteAddress: '203.0.113.9' } },
      deviceName: 'Ada’s phone',
    });
  const authorizeNoting = (noted: (loginSessionId: string) => Promise<void>) => authorize(id, noted);
  try {
    await authorizeNoting(note(other.id));
    await authorizeNoting(note(id));
  } finally {
    await consents.close();
  }
  const found = (await families(id)).sort((a, b) => a.createdAt - b.createdAt);
  expect(found.map(({ deviceName, userAgent, address }) => [deviceName, userAgent, address])).toEqual([
    [undefined, undefined, undefined],
    ['Ada’s phone', 'Browser/1', '203.0.113.9'],
  ]);
});

it('a grant ends what its person left behind from the same device, and unused for 30 days', async () => {
  const { id } = await people.create('registry');
  const consents = new RefreshTokens({
    postgresUrl: hydra.info.postgres.runtimeUrl,
    key: Buffer.alloc(32).toString('base64'),
    policy: {},
  });
  const from = (remoteAddress: string) =>
    authorize(id, (loginSessionId) =>
      consents.consent({
        ...{ identityId: id, clientId: client.id, loginSessionId },
        request: { headers: { 'user-agent': 'Browser/1' }, socket: { remoteAddress } },
      }),
    );
  const left = await from('203.0.113.9');
  const elsewhere = await from('198.51.100.7');
  // As the owner of the table: no other role moves a creation.
  await withClient(hydra.info.postgres.url, (owner) =>
    owner.query(
      "UPDATE refresh_family SET created_at = created_at - interval '30 days' WHERE identity_id = $1",
      [id],
    ),
  );
  await from('203.0.113.9').finally(() => consents.close());
  expect((await refresh(left.refreshToken)).status).toBe(403);
  expect((await refresh(elsewhere.refreshToken)).status).toBe(200);
  expect(await families(id)).toHaveLength(2);
});

it('while the registry is away no token is issued, and the refresh token survives', async () => {
  const { id } = await people.create('registry');
  const { refreshToken } = await authorize(id);
  failing.registry = true;
  const answer = await refresh(refreshToken).finally(() => {
    failing.registry = false;
  });
  expect(answer).toMatchObject({ status: 500, error: 'server_error' });
  expect((await refresh(refreshToken)).status).toBe(200);
});

it('a service has no family', async () => {
  const count = async () =>
    (await pool.query<{ count: number }>('SELECT count(*)::int FROM refresh_family')).rows[0]?.count;
  const before = await count();
  const answer = await hydra.askForToken(client, { grant_type: 'client_credentials' });
  expect(answer.status).toBe(200);
  expect(await count()).toBe(before);
});

it('under a policy without rules for refresh tokens nothing is recorded, and every grant goes on', async () => {
  const { id } = await people.create('registry');
  const follow = refreshRegistry(pool, publishedPolicy(pool, 'never-published'), fail);
  const grant = { consent: 'c', clientId: 'web', identityId: id, grant: 'authorization_code' } as const;
  expect(await follow(grant)).toBe(true);
  expect(await families(id)).toEqual([]);
});
