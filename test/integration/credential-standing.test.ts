/** When the tokens of one identity end, by type, on real PostgreSQL. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentialStandings } from '../../src/tokens/credentials.js';
import { insertToken, revokeToken, writeUses } from '../../src/tokens/personal/personal-tokens-table.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

const day = 86_400_000;
const now = Date.parse('2026-03-01T00:00:00Z');
let database: FreshDatabase;
beforeAll(async () => {
  database = await openFreshDatabase();
  for (const id of ['mine', 'other']) {
    await publish(
      database.pool,
      `id: ${id}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
tokens: { refresh: {}, personal: { types: { ci: { inactive: never, longestLifetime: 90d } } } }
`,
    );
  }
});
afterAll(() => database.close());

async function make(identityId: string, type: string, ageDays: number): Promise<string> {
  const tokenId = randomUUID();
  await insertToken(
    database.pool,
    {
      ...{ tokenId, identityId, type, name: 'laptop', hash: randomBytes(32), scopes: [], roles: [] },
      ...{ policyId: 'mine', actor: 'op-1', atMost: 100 },
    },
    now - ageDays * day,
  );
  return tokenId;
}

async function family(identityId: string, usedDays: number): Promise<void> {
  await database.pool.query(
    `INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, policy_id, token_hash, signed_in_at, created_at)
     VALUES (gen_random_uuid(), $1, 'app', 'web', 'mine', decode(repeat('00', 32), 'hex'), $2, $2)`,
    [identityId, new Date(now - usedDays * day)],
  );
}

const standings = (identityId: string, policyId: string | undefined = 'mine') =>
  credentialStandings(database.pool, { identityId, policyId }, now);

it('each type has its threshold, how many are live, and the next end; what ended and what is over its limit is not live', async () => {
  const identityId = randomUUID();
  await make(identityId, 'personal', 300);
  const used = await make(identityId, 'personal', 400);
  await writeUses(database.pool, [{ tokenId: used, at: now - 10 * day }]);
  await make(identityId, 'personal', 366);
  const revoked = await make(identityId, 'personal', 360);
  await revokeToken(database.pool, { tokenId: revoked, actor: 'op-1' }, now);
  await make(identityId, 'ci', 80);
  await family(identityId, 100);
  await family(identityId, 181);
  expect(await standings(identityId)).toEqual([
    { kind: 'refresh', policyId: 'mine', inactiveMs: 180 * day, live: 1, nextEndAt: now + 80 * day },
    {
      kind: 'personal',
      type: 'personal',
      policyId: 'mine',
      inactiveMs: 365 * day,
      live: 2,
      nextEndAt: now + 65 * day,
    },
    { kind: 'personal', type: 'ci', policyId: 'mine', inactiveMs: null, live: 1, nextEndAt: now + 10 * day },
  ]);
});

it('a person who was seen keeps refresh tokens longer, and one who is exempt for ever', async () => {
  const identityId = randomUUID();
  await family(identityId, 100);
  await database.pool.query(
    `INSERT INTO identity_activity (identity_id, kind, last_active_at, source) VALUES ($1, 'human', $2, 'test')`,
    [identityId, new Date(now)],
  );
  expect((await standings(identityId))[0]).toMatchObject({ live: 1, nextEndAt: now + 180 * day });
  await database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, blocked_by, document, revision, updated_at)
     VALUES ($1, 'active', $2, $2, 'exempt', '{}', 0, $2)`,
    [identityId, new Date(now)],
  );
  const [refresh] = await standings(identityId);
  expect(refresh).toMatchObject({ live: 1 });
  expect(refresh).not.toHaveProperty('nextEndAt');
});

it('an identity without tokens sees the types of its own policy alone, with none live', async () => {
  expect(await standings(randomUUID())).toMatchObject([
    { kind: 'refresh', policyId: 'mine', live: 0 },
    { kind: 'personal', type: 'personal', policyId: 'mine', live: 0 },
    { kind: 'personal', type: 'ci', policyId: 'mine', live: 0 },
  ]);
  expect(
    await credentialStandings(database.pool, { identityId: randomUUID(), policyId: undefined }, now),
  ).toEqual([]);
});
