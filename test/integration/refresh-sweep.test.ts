/** The sweep of refresh families against real PostgreSQL: what it ends, cuts and removes, at each boundary. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { AxiosError, type AxiosResponse } from 'axios';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRefreshTokenActivities } from '../../src/activities/refresh-tokens.js';
import { readAudit } from '../../src/audit/log-table.js';
import { createBatchBreaker } from '../../src/breaker/batches.js';
import { proposeRelease } from '../../src/breaker/decisions.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { dayMs } from '../../src/domain/duration.js';
import type { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import { closeHydraFamilies } from '../../src/tokens/refresh/close-hydra.js';
import { endFamilies } from '../../src/tokens/refresh/families-table.js';
import { cleanFamilies, endRevokedFamilies, endStaleFamilies } from '../../src/tokens/refresh/sweep.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { refreshPolicy } from '../domain/tokens/refresh-fixtures.js';
import { rulesOf } from '../support/breaker-rules.js';
import { publish } from '../support/publish.js';
import { begin, mint, RefreshServices, requestFrom } from '../support/refresh-services.js';

let services: RefreshServices;
let tokens: RefreshTokens;
beforeAll(async () => {
  services = await RefreshServices.begin();
  tokens = services.service();
});
beforeEach(() => services.pool.query('DELETE FROM refresh_family'));
afterAll(() => services.close());

const sweep = async (policy = refreshPolicy()) =>
  (await endStaleFamilies({ pool: services.pool }, { policy }, begin)).ended;
const whyOf = async (familyId: string) => (await services.row(familyId))?.ended_why;

/** A family of a person of its own. @param usedAt absent: it was never used */
async function family(createdAt: number, usedAt?: number, identityId = randomUUID()) {
  const signedIn = await services.signIn(tokens, { identityId });
  await services.age(signedIn.familyId, createdAt, usedAt);
  return signedIn;
}

const seen = (identityId: string, at: number) =>
  services.pool.query(
    `INSERT INTO identity_activity (identity_id, kind, last_active_at, source) VALUES ($1, 'human', $2, 'test')`,
    [identityId, new Date(at)],
  );

it('ends families at each limit, and none a millisecond before it', async () => {
  const cases: [createdAt: number, usedAt: number | undefined, activeAt: number, why: string | null][] = [
    [begin - 400 * dayMs, begin - dayMs, begin, null],
    [begin - 400 * dayMs, begin - 365 * dayMs, begin, 'unused'],
    [begin - 400 * dayMs, begin - 365 * dayMs + 1, begin, null],
    [begin - 365 * dayMs, undefined, begin, 'unused'],
    [begin - 365 * dayMs + 1, undefined, begin, null],
    [begin - 200 * dayMs, undefined, begin - 180 * dayMs, 'inactive'],
    [begin - 200 * dayMs, undefined, begin - 180 * dayMs + 1, null],
    [begin - 180 * dayMs, undefined, begin - 300 * dayMs, 'inactive'],
    [begin - 180 * dayMs + 1, undefined, begin - 300 * dayMs, null],
  ];
  const families = [];
  for (const [createdAt, usedAt, activeAt] of cases) {
    const one = await family(createdAt, usedAt);
    await seen(one.identityId, activeAt);
    families.push(one);
  }
  expect(await sweep()).toBe(cases.filter(([, , , why]) => why !== null).length);
  expect(await Promise.all(families.map(({ familyId }) => whyOf(familyId)))).toEqual(
    cases.map(([, , , why]) => why),
  );
  expect(await sweep()).toBe(0);
});

it('ends more than a page, by a longest lifetime, with one entry for each family and one for the person', async () => {
  const identityId = randomUUID();
  await services.pool.query(
    `INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, token_hash, signed_in_at, created_at, last_used_at)
     SELECT gen_random_uuid(), $1, 'app', 'web', decode(repeat('00', 32), 'hex'), $2, $2, $3 FROM generate_series(1, 501)`,
    [identityId, new Date(begin - 30 * dayMs), new Date(begin)],
  );
  expect(await sweep(refreshPolicy({ longestLifetime: '30d' }))).toBe(501);
  const audit = await readAudit(services.pool, identityId);
  const stale = audit.filter(({ eventType }) => eventType === 'tokens_revoked_stale');
  expect(audit).toHaveLength(501 + stale.length);
  expect(stale.map(({ detail }) => Number(detail.families)).reduce((sum, count) => sum + count)).toBe(501);
  expect(stale[0]).toMatchObject({ actor: 'engine', detail: { type: 'refresh', why: 'lifetime' } });
});

it('ends no family that was used, and nobody who was seen, since it was judged', async () => {
  const used = await family(begin - 400 * dayMs, begin);
  const active = await family(begin - 200 * dayMs);
  await seen(active.identityId, begin);
  const { pool } = services;
  const late = { why: 'unused', unusedSince: begin - 365 * dayMs } as const;
  expect(await endFamilies(pool, { familyIds: [used.familyId], ...late }, begin)).toEqual([]);
  const inactive = { why: 'inactive', inactiveSince: begin - 180 * dayMs } as const;
  expect(await endFamilies(pool, { familyIds: [active.familyId], ...inactive }, begin)).toEqual([]);
});

it('more families than the breaker allows all stay until a release, and one that was used meanwhile stays', async () => {
  const { pool } = services;
  const pass = createBatchBreaker({ pool, clock: { now: async () => begin } });
  const held: number[] = [];
  const breaker = { pass, rules: rulesOf(3), onHeld: (_: unknown, count: number) => held.push(count) };
  const swept = (policy = refreshPolicy()) => endStaleFamilies({ pool }, { policy }, begin, breaker);
  const families = [];
  for (let i = 0; i < 4; i += 1) families.push(await family(begin - 400 * dayMs));
  expect(await swept()).toEqual({ ended: 0, held: 4 });
  expect(held).toEqual([4]);
  const [trip] = await activeTrips(pool, ['endRefresh']);
  await proposeRelease(pool, { tripId: trip?.id ?? 0, actor: 'op-1', reason: 'a test', at: begin });
  const [used] = families;
  await services.age(used?.familyId ?? '', begin - 400 * dayMs, begin);
  expect(await swept()).toEqual({ ended: 3, held: 0 });
  expect(await whyOf(used?.familyId ?? '')).toBeNull();
});

it('leaves people who are exempt or on hold, whoever asks, and not their longest lifetime', async () => {
  for (const blocked of ['exempt', 'hold']) {
    const { identityId, familyId, refreshToken } = await family(begin - 400 * dayMs);
    await services.pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, blocked_by, document, revision, updated_at)
       VALUES ($1, 'active', $2, $2, $3, '{}', 0, $2)`,
      [identityId, new Date(begin - 400 * dayMs), blocked],
    );
    expect(await sweep()).toBe(0);
    const stale = { familyIds: [familyId], why: 'unused' } as const;
    expect(await endFamilies(services.pool, stale, begin)).toEqual([]);
    services.now = begin;
    expect(await tokens.exchange(refreshToken, undefined, mint)).toMatchObject({ granted: true });
    expect(await sweep(refreshPolicy({ longestLifetime: '400d' }))).toBe(1);
  }
});

it('is forgotten with its identity', async () => {
  const one = await family(begin);
  const other = await family(begin);
  await buryIdentity(services.pool, one.identityId, undefined, begin);
  expect(await services.row(one.familyId)).toBeUndefined();
  expect(await services.row(other.familyId)).toBeDefined();
});

it('two sweeps at once end each family once', async () => {
  const { identityId, familyId } = await family(begin - 365 * dayMs);
  await seen(identityId, begin);
  expect((await Promise.all([sweep(), sweep(), sweep()])).reduce((sum, ended) => sum + ended)).toBe(1);
  expect(await whyOf(familyId)).toBe('unused');
  const types = (await readAudit(services.pool, identityId)).map(({ eventType }) => eventType);
  expect(types).toEqual(['refresh_family_started', 'refresh_family_revoked', 'tokens_revoked_stale']);
});

it('families of a published policy are not judged by an app’s own', async () => {
  const { familyId } = await family(begin - 500 * dayMs);
  await services.pool.query("UPDATE refresh_family SET policy_id = 'p' WHERE family_id = $1", [familyId]);
  expect(await sweep()).toBe(0);
  const reference = { id: 'p', version: 2, hash: 'f'.repeat(64) };
  const ofPublished = { policy: refreshPolicy(), reference };
  expect(await endStaleFamilies({ pool: services.pool }, ofPublished, begin)).toMatchObject({ ended: 1 });
});

describe('families of an app’s own policy', () => {
  const reference = { id: 'p', version: 2, hash: 'f'.repeat(64) };
  const sweepPublished = async () =>
    (await endStaleFamilies({ pool: services.pool }, { policy: refreshPolicy(), reference }, begin)).ended;
  const publishedFamily = async (createdAt: number, clientId = 'web') => {
    const { familyId } = await family(createdAt);
    const row = [familyId, clientId];
    await services.pool.query(
      "UPDATE refresh_family SET policy_id = 'p', client_id = $2 WHERE family_id = $1",
      row,
    );
  };

  it('are judged by the published one once their app has started none of its own for a week', async () => {
    const old = await family(begin - 500 * dayMs);
    const last = await family(begin - 7 * dayMs);
    await publishedFamily(begin - 7 * dayMs + 1);
    expect(await sweepPublished()).toBe(1);
    expect(await whyOf(old.familyId)).toBe('unused');
    expect(await services.row(last.familyId)).toMatchObject({ policy_id: 'p', ended_at: null });
  });

  it('stay the app’s while two releases start families side by side', async () => {
    const old = await family(begin - 500 * dayMs);
    await family(begin - 7 * dayMs + 1);
    await publishedFamily(begin);
    expect(await sweepPublished()).toBe(0);
    expect(await services.row(old.familyId)).toMatchObject({ policy_id: null, ended_at: null });
  });

  it('stay the app’s where another client’s families are under the published one, or the app moved back', async () => {
    await family(begin - 500 * dayMs);
    await publishedFamily(begin, 'other-app');
    expect(await sweepPublished()).toBe(0);
    await publishedFamily(begin - 400 * dayMs);
    await services.pool.query("UPDATE refresh_family SET last_used_at = $1 WHERE policy_id = 'p'", [
      new Date(begin),
    ]);
    await family(begin - 300 * dayMs);
    expect(await sweepPublished()).toBe(0);
  });
});

it('ends what was signed in before a revocation of the identity, and leaves a later sign-in', async () => {
  const identityId = randomUUID();
  const before = await family(begin - dayMs, undefined, identityId);
  const after = await family(begin - dayMs + 1, undefined, identityId);
  await writeNotBefore(services.pool, identityId, begin - dayMs);
  expect(await endRevokedFamilies({ pool: services.pool }, begin)).toBe(1);
  expect([await whyOf(before.familyId), await whyOf(after.familyId)]).toEqual(['account', null]);
});

it.each([
  [500, 1],
  [0, 0],
])('of a sign-in that Hydra tells in whole seconds, revoked %d ms after the next second, ends %d', async (ms, count) => {
  const { pool } = services;
  const identityId = randomUUID();
  const start = (signedInAt: number) =>
    pool.query(
      `INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, hydra_consent, signed_in_at, created_at)
       VALUES (gen_random_uuid(), $1, 'hydra', 'web', gen_random_uuid()::text, $2, $2)`,
      [identityId, new Date(signedInAt)],
    );
  await start(begin - (ms === 0 ? 0 : 1_000));
  await start(begin);
  await writeNotBefore(pool, identityId, begin + ms);
  expect(await endRevokedFamilies({ pool }, begin + 5_000)).toBe(count);
});

it('cuts addresses at their time, each by its own use, and leaves the rest of the row', async () => {
  const request = requestFrom('2001:db8:1234:5678::9');
  const six = await services.signIn(tokens, { request });
  const old = await family(begin - 60 * dayMs);
  const young = await family(begin - 60 * dayMs + 1);
  const used = await family(begin - 60 * dayMs, begin);
  await services.age(six.familyId, begin - 60 * dayMs);
  expect(
    (await cleanFamilies({ pool: services.pool }, { policy: refreshPolicy() }, begin)).cut,
  ).toBeGreaterThan(0);
  const addresses = async (familyId: string) => {
    const row = await services.row(familyId);
    return [row?.first_address, row?.last_address];
  };
  expect(await addresses(six.familyId)).toEqual(['2001:db8:1234::/48', '2001:db8:1234::/48']);
  expect(await addresses(old.familyId)).toEqual(['203.0.113.0/24', '203.0.113.0/24']);
  expect(await addresses(young.familyId)).toEqual(['203.0.113.9', '203.0.113.9']);
  expect(await addresses(used.familyId)).toEqual(['203.0.113.0/24', '203.0.113.9']);
  expect((await cleanFamilies({ pool: services.pool }, { policy: refreshPolicy() }, begin)).cut).toBe(0);
  services.now = begin;
  expect(await tokens.exchange(old.refreshToken, requestFrom('198.51.100.7'), mint)).toMatchObject({
    granted: true,
  });
  expect(await addresses(old.familyId)).toEqual(['203.0.113.0/24', '198.51.100.7']);
});

it('removes dead families at their time, and Hydra’s only once Hydra has taken their end', async () => {
  const gone = await family(begin);
  const kept = await family(begin);
  const { pool } = services;
  await endFamilies(pool, { familyIds: [gone.familyId], why: 'by_person' }, begin - 90 * dayMs);
  await endFamilies(pool, { familyIds: [kept.familyId], why: 'by_person' }, begin - 90 * dayMs + 1);
  const owed = randomUUID();
  await pool.query(
    `INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, hydra_consent, signed_in_at, created_at, ended_at, ended_why)
     VALUES ($1, gen_random_uuid(), 'hydra', 'web', 'c', $2, $2, $2, 'unused')`,
    [owed, new Date(begin - 900 * dayMs)],
  );
  expect((await cleanFamilies({ pool }, { policy: refreshPolicy() }, begin)).removed).toBe(1);
  expect(await services.row(gone.familyId)).toBeUndefined();
  expect(await services.row(kept.familyId)).toBeDefined();
  expect(await services.row(owed)).toBeDefined();
  expect(await tokens.exchange(gone.refreshToken, undefined, mint)).toEqual({
    granted: false,
    why: 'unknown',
  });
});

it('an app with a policy of its own sweeps by itself, with its own role', async () => {
  const { familyId, identityId } = await family(begin - 365 * dayMs);
  await seen(identityId, begin);
  services.now = begin;
  expect(await tokens.sweep()).toBe(1);
  expect(await services.row(familyId)).toMatchObject({ ended_why: 'unused', last_address: '203.0.113.0/24' });
});

it('a policy that lost its rules ends nothing, and its addresses are still cut and its dead rows removed', async () => {
  const policyId = `lost-${randomUUID().slice(0, 8)}`;
  const text = `id: ${policyId}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
`;
  const { pool } = services;
  await publish(pool, `${text}tokens: { refresh: {} }\n`);
  await publish(pool, text);
  const [live, dead] = [await family(begin - 500 * dayMs), await family(begin - 500 * dayMs)];
  await pool.query('UPDATE refresh_family SET policy_id = $1', [policyId]);
  await endFamilies(pool, { familyIds: [dead.familyId], why: 'by_person' }, begin - 90 * dayMs);
  const { sweepRefreshTokens } = createRefreshTokenActivities({
    pool,
    clock: { now: async () => begin },
    oauth2: { revokeOAuth2ConsentSessions: () => Promise.reject(new Error('nothing is owed')) },
    pass: () => Promise.reject(new Error('nothing is due')),
  });
  const swept = await new MockActivityEnvironment().run(sweepRefreshTokens);
  expect(swept).toMatchObject({ ended: 0, removed: 1, failed: 0 });
  expect(await services.row(live.familyId)).toMatchObject({
    ended_at: null,
    first_address: '203.0.113.0/24',
    last_address: '203.0.113.0/24',
  });
  expect(await services.row(dead.familyId)).toBeUndefined();
});

describe('an end that Hydra is owed', () => {
  const familyOfHydra = async (identityId: string, endedAt: number | null) => {
    await services.pool.query(
      `INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, hydra_consent, signed_in_at, created_at, ended_at, ended_why)
       VALUES (gen_random_uuid(), $1, 'hydra', 'web', gen_random_uuid()::text, $2, $2, $3, $4)`,
      [
        identityId,
        new Date(begin - dayMs),
        endedAt === null ? null : new Date(endedAt),
        endedAt === null ? null : 'unused',
      ],
    );
  };
  /** Hydra, as far as the sweep asks it. @param answer throws where it takes no end */
  const hydra = (answer: (identityId: string) => Promise<void>) => ({
    revokeOAuth2ConsentSessions: async ({ subject = '' }: { subject?: string }) => {
      await answer(subject);
      return { data: undefined } as unknown as AxiosResponse<void>;
    },
  });
  const sorted = (count: number) => Array.from({ length: count }, () => randomUUID()).sort();
  const refusal = (status: number) =>
    new AxiosError('refused', 'ERR', undefined, undefined, { status, headers: {} } as AxiosResponse);

  it('spares the client of a person who signed in since it was read', async () => {
    const people = sorted(2);
    for (const id of people) await familyOfHydra(id, begin);
    const revoked: string[] = [];
    const oauth2 = hydra(async (id) => {
      revoked.push(id);
      await familyOfHydra(people[1] ?? '', null);
    });
    expect(await closeHydraFamilies({ pool: services.pool, oauth2 }, begin)).toEqual({
      closed: 1,
      failed: 0,
    });
    expect(revoked).toEqual([people[0]]);
  });

  it('is carried out though Hydra refuses that of many others, each of which is told', async () => {
    const people = sorted(8);
    for (const id of people) await familyOfHydra(id, begin);
    const oauth2 = hydra(async (id) => {
      if (id !== people[7]) throw refusal(400);
    });
    const told: string[] = [];
    const onFailure = (_error: unknown, id: string) => told.push(id);
    const counts = await closeHydraFamilies({ pool: services.pool, oauth2, onFailure }, begin);
    expect(counts).toEqual({ closed: 1, failed: 7 });
    expect(told).toEqual(people.slice(0, 7));
  });

  it('waits for the next sweep while Hydra is away', async () => {
    for (const id of sorted(8)) await familyOfHydra(id, begin);
    const oauth2 = hydra(async () => {
      throw refusal(503);
    });
    expect(await closeHydraFamilies({ pool: services.pool, oauth2 }, begin)).toEqual({
      closed: 0,
      failed: 5,
    });
  });
});
