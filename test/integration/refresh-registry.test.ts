/** The registry behind Hydra's token hook against real PostgreSQL: stale families, a policy that changes, and a clock that is wrong. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { publishedPolicy } from '../../src/gateway/published-policy.js';
import { refreshRegistry } from '../../src/gateway/refresh-registry.js';
import { endFamilies } from '../../src/tokens/refresh/families-table.js';
import type { HydraGrant } from '../../src/tokens/refresh/hydra-grants.js';
import { publish } from '../support/publish.js';
import { RefreshServices } from '../support/refresh-services.js';

let services: RefreshServices;
beforeAll(async () => {
  services = await RefreshServices.begin();
});
afterAll(() => services.close());
afterEach(() => {
  vi.restoreAllMocks();
});

const policyOf = (id: string, tokens: string) => `id: ${id}
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
${tokens}
`;

/** A registry of its own: it has read no policy yet. */
function registryOf(policyId: string) {
  return refreshRegistry(services.pool, publishedPolicy(services.pool, policyId), (error) => {
    throw error;
  });
}

async function published(fields: string) {
  const policyId = `p-${randomUUID().slice(0, 8)}`;
  await publish(services.pool, policyOf(policyId, `tokens: { refresh: ${fields} }`));
  return { policyId, follow: registryOf(policyId) };
}

/** A grant, and a refresh of it. */
function grantOf(identityId: string = randomUUID()) {
  const base = { consent: randomUUID(), clientId: 'web', identityId, authenticatedAt: Date.now() };
  const grant: HydraGrant = { ...base, grant: 'authorization_code' };
  const refresh: HydraGrant = { ...base, grant: 'refresh_token' };
  return { identityId, consent: base.consent, grant, refresh };
}

async function rowOf(consent: string) {
  const { rows } = await services.pool.query('SELECT * FROM refresh_family WHERE hydra_consent = $1', [
    consent,
  ]);
  return rows[0];
}

const age = (consent: string, days: number) =>
  services.pool.query(
    `UPDATE refresh_family SET created_at = created_at - $2 * interval '1 day', last_used_at = last_used_at - $2 * interval '1 day'
     WHERE hydra_consent = $1`,
    [consent, days],
  );

describe('a refresh', () => {
  it.each([
    ['{}', 365, 0, 'unused'],
    ['{}', 200, 190, 'inactive'],
    ['{}', 200, 0, null],
    ['{}', 100, 190, null],
    ['{ longestLifetime: 30d }', 30, 0, 'lifetime'],
    ['{ longestLifetime: 30d }', 29, 0, null],
  ])('under %s of a family that is %d days old, whose person was seen %d days ago, ends it: %s', async (fields, days, seenDays, why) => {
    const { follow } = await published(fields);
    const { identityId, consent, grant, refresh } = grantOf();
    expect(await follow(grant)).toBe(true);
    await age(consent, days);
    await services.pool.query(
      `INSERT INTO identity_activity (identity_id, kind, last_active_at, source) VALUES ($1, 'human', $2, 'test')`,
      [identityId, new Date(Date.now() - seenDays * dayMs)],
    );
    expect(await follow(refresh)).toBe(why === null);
    expect((await rowOf(consent)).ended_why).toBe(why);
    expect(await follow(refresh)).toBe(why === null);
  });

  it('of a family from before the registry is its first known use, however old its sign-in', async () => {
    const { follow } = await published('{ unused: 30d, inactive: 30d, sameOrigin: off }');
    const { consent, refresh } = grantOf();
    expect(await follow({ ...refresh, authenticatedAt: Date.now() - 90 * dayMs })).toBe(true);
    expect((await rowOf(consent)).ended_at).toBeNull();
  });

  it('of a family from before the registry that is over its longest lifetime is refused', async () => {
    const { follow } = await published('{ longestLifetime: 30d }');
    const { consent, refresh } = grantOf();
    expect(await follow({ ...refresh, authenticatedAt: Date.now() - 30 * dayMs })).toBe(false);
    expect((await rowOf(consent)).ended_why).toBe('lifetime');
  });

  it('of a family that ended is refused after the policy lost its rules', async () => {
    const { policyId, follow } = await published('{}');
    const [ended, live] = [grantOf(), grantOf()];
    for (const { grant } of [ended, live]) expect(await follow(grant)).toBe(true);
    const { family_id: familyId } = await rowOf(ended.consent);
    await endFamilies(services.pool, { familyIds: [familyId], why: 'by_person' }, Date.now());
    await publish(services.pool, policyOf(policyId, ''));
    const without = registryOf(policyId);
    expect(await without(ended.refresh)).toBe(false);
    expect(await without(live.refresh)).toBe(true);
    expect(await without(grantOf().refresh)).toBe(true);
  });
});

describe('a gateway whose clock is two years ahead', () => {
  const goAhead = () => {
    const realNow = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 730 * dayMs);
  };

  it('ends nothing at a grant', async () => {
    const { follow } = await published('{}');
    const { identityId, consent, grant } = grantOf();
    expect(await follow(grant)).toBe(true);
    goAhead();
    expect(await follow(grantOf(identityId).grant)).toBe(true);
    expect((await rowOf(consent)).ended_at).toBeNull();
  });

  it('ends nothing at a refresh, and notes no use in the future', async () => {
    const { follow } = await published('{ longestLifetime: 400d }');
    const { consent, grant, refresh } = grantOf();
    expect(await follow(grant)).toBe(true);
    goAhead();
    expect(await follow(refresh)).toBe(true);
    vi.restoreAllMocks();
    const row = await rowOf(consent);
    expect(row.ended_at).toBeNull();
    expect(row.last_used_at.getTime()).toBeLessThanOrEqual(Date.now());
  });
});
