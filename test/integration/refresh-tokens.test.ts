/** Refresh tokens of an app's own service against real PostgreSQL: one line of tokens, reuse, and revocations that nobody overtakes. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { dayMs } from '../../src/domain/duration.js';
import type { RefreshTokens } from '../../src/middleware/refresh-tokens/refresh-tokens.js';
import type { Exchange } from '../../src/tokens/refresh/exchange.js';
import { writeNotBefore } from '../../src/tokens/revocations-table.js';
import { begin, mint, RefreshServices, requestFrom } from '../support/refresh-services.js';
import { until } from '../support/until.js';

let services: RefreshServices;
let tokens: RefreshTokens;
beforeAll(async () => {
  services = await RefreshServices.begin();
  tokens = services.service();
});
beforeEach(() => {
  services.now = begin;
});
afterAll(() => services.close());

const exchange = (token: string, by: RefreshTokens = tokens) =>
  by.exchange(token, requestFrom('203.0.113.9'), mint);

function granted<Minted>(outcome: Exchange<Minted>) {
  if (!outcome.granted) throw new Error(`refused: ${outcome.why}`);
  return outcome;
}

const auditOf = async (identityId: string) =>
  (await readAudit(services.pool, identityId)).map(({ eventType, detail }) => [eventType, detail.why]);

describe('an exchange', () => {
  it('gives a successor and an access token, and the old token is spent', async () => {
    const { identityId, familyId, refreshToken } = await services.signIn(tokens);
    services.now += 60_000;
    const first = granted(await exchange(refreshToken));
    expect(first).toMatchObject({ identityId, familyId, minted: `${identityId}@${services.now}` });
    expect(first.refreshToken).not.toBe(refreshToken);
    const second = granted(await exchange(first.refreshToken));
    expect(await services.row(familyId)).toMatchObject({
      generation: 2,
      last_used_at: new Date(services.now),
    });
    services.now += 3_600_000;
    expect(granted(await exchange(second.refreshToken)).familyId).toBe(familyId);
  });

  it('keeps no token: neither its text nor its secret stands in any column', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const { refreshToken: next } = granted(await exchange(refreshToken));
    const row = JSON.stringify(await services.row(familyId));
    for (const token of [refreshToken, next]) {
      const secret = Buffer.from(token.slice(4), 'base64url').subarray(20);
      expect(row).not.toContain(token.slice(4));
      expect(row).not.toContain(secret.toString('hex'));
      expect(row).not.toContain(JSON.stringify([...secret]).slice(1, -1));
    }
  });

  it.each([
    'nonsense',
    '',
    `dmr_${randomBytes(52).toString('base64url')}`,
    undefined,
    { token: 1 },
  ])('of %j is refused', async (token) => {
    expect(await tokens.exchange(token, undefined, mint)).toEqual({ granted: false, why: 'unknown' });
  });

  it('of a made-up secret for a family that exists is refused, and ends nothing', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const bytes = Buffer.from(refreshToken.slice(4), 'base64url');
    randomBytes(32).copy(bytes, 20);
    const forged = `dmr_${bytes.toString('base64url')}`;
    expect(await exchange(forged)).toEqual({ granted: false, why: 'unknown' });
    expect(await services.row(familyId)).toMatchObject({ ended_at: null, generation: 0 });
  });

  it('that could not mint leaves the token as it was', async () => {
    const { refreshToken } = await services.signIn(tokens);
    const failing = tokens.exchange(refreshToken, undefined, () =>
      Promise.reject(new Error('no signing key')),
    );
    await expect(failing).rejects.toThrow('no signing key');
    services.now += 3_600_000;
    expect(await exchange(refreshToken)).toMatchObject({ granted: true });
  });

  it('takes five statements and one connection', async () => {
    const pool = new pg.Pool({ connectionString: services.appUrl });
    const statements: unknown[] = [];
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...given: unknown[]) => unknown;
      Object.assign(client, {
        query: (...given: unknown[]) => {
          statements.push(given[0]);
          return query(...given);
        },
      });
    });
    try {
      const counted = services.service({ pool });
      const { refreshToken } = await services.signIn(counted);
      statements.length = 0;
      granted(await exchange(refreshToken, counted));
      expect(statements).toHaveLength(5);
      expect(pool.totalCount).toBe(1);
    } finally {
      await pool.end();
    }
  });
});

describe('the same token at once', () => {
  it('twenty times, at two instances: the family lives, in one line', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const other = services.service();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => exchange(refreshToken, nth % 2 === 0 ? tokens : other)),
    );
    expect(new Set(outcomes.map((outcome) => granted(outcome).refreshToken)).size).toBe(1);
    expect(await services.row(familyId)).toMatchObject({ generation: 1, ended_at: null });
    services.now += 3_600_000;
    expect(await exchange(granted(outcomes[0] as Exchange<string>).refreshToken)).toMatchObject({
      granted: true,
    });
  });

  it('fifty times with a grace of 0: exactly one succeeds, and the family ends once', async () => {
    const strict = services.service({ policy: { grace: 0 } });
    const { identityId, refreshToken } = await services.signIn(strict);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => exchange(refreshToken, strict)));
    expect(outcomes.filter((outcome) => outcome.granted)).toHaveLength(1);
    expect(outcomes.filter((outcome) => !outcome.granted && outcome.why === 'reuse')).toHaveLength(1);
    expect(await auditOf(identityId)).toEqual([
      ['refresh_family_started', undefined],
      ['refresh_family_revoked', 'reuse'],
    ]);
  });
});

describe('a token that was exchanged', () => {
  it('whose answer was lost may be presented again, and its answer refreshes', async () => {
    const { refreshToken } = await services.signIn(tokens);
    const lost = granted(await exchange(refreshToken));
    services.now += 9_999;
    const again = granted(await exchange(refreshToken));
    expect(again.refreshToken).toBe(lost.refreshToken);
    services.now += 3_600_000;
    expect(await exchange(again.refreshToken)).toMatchObject({ granted: true });
  });

  it('and whose successor was exchanged too, within the grace, gets the valid one', async () => {
    const { refreshToken } = await services.signIn(tokens);
    const first = granted(await exchange(refreshToken));
    services.now += 2_000;
    const second = granted(await exchange(first.refreshToken));
    services.now += 2_000;
    expect(granted(await exchange(refreshToken)).refreshToken).toBe(second.refreshToken);
  });

  it('ends its family at the end of the grace, for every token of it, and is audited once', async () => {
    const { identityId, familyId, refreshToken } = await services.signIn(tokens);
    const next = granted(await exchange(refreshToken));
    services.now += 10_000;
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'reuse' });
    expect(await exchange(next.refreshToken)).toEqual({ granted: false, why: 'ended' });
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'ended' });
    expect(await services.row(familyId)).toMatchObject({
      ended_why: 'reuse',
      closed_at: new Date(services.now),
    });
    expect(await auditOf(identityId)).toEqual([
      ['refresh_family_started', undefined],
      ['refresh_family_revoked', 'reuse'],
    ]);
  });

  it('a hundred exchanges ago is still recognised', async () => {
    const { refreshToken } = await services.signIn(tokens);
    let valid = refreshToken;
    for (let step = 0; step < 100; step += 1) {
      services.now += 3_600_000;
      valid = granted(await exchange(valid)).refreshToken;
    }
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'reuse' });
    expect(await exchange(valid)).toEqual({ granted: false, why: 'ended' });
  });

  it('is reuse also by a clock that was set back, with a grace of 0', async () => {
    const strict = services.service({ policy: { grace: 0 } });
    const { refreshToken } = await services.signIn(strict);
    granted(await exchange(refreshToken, strict));
    services.now -= 60_000;
    expect(await exchange(refreshToken, strict)).toEqual({ granted: false, why: 'reuse' });
  });
});

describe('a clock that is set back by an hour', () => {
  it('ends no family, and lets no old token mint; the valid one works, and so does a repetition once the time is reached again', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    services.now += 3_600_000;
    const next = granted(await exchange(refreshToken));
    services.now = begin + 1_000;
    let minted = 0;
    const old = await tokens.exchange(refreshToken, undefined, () => {
      minted += 1;
    });
    expect([old, minted]).toEqual([{ granted: false, why: 'unclear' }, 0]);
    expect(await services.row(familyId)).toMatchObject({ ended_at: null });
    services.now = begin + 3_605_000;
    expect(granted(await exchange(refreshToken)).refreshToken).toBe(next.refreshToken);
    services.now = begin + 1_000;
    const third = granted(await exchange(next.refreshToken));
    expect(await services.row(familyId)).toMatchObject({ last_used_at: new Date(begin + 3_600_000) });
    expect(granted(await exchange(third.refreshToken)).familyId).toBe(familyId);
  });

  it('does not make the token before the last one young again', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const next = granted(await exchange(refreshToken));
    services.now += 3_600_000;
    granted(await exchange(next.refreshToken));
    services.now = begin + 1_000;
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'unclear' });
    services.now = begin + 3_600_000;
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'reuse' });
    expect(await services.row(familyId)).toMatchObject({ ended_why: 'reuse' });
  });
});

describe('an app that reads the registry and calls its functions by hand', () => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: services.appUrl });
  });
  afterAll(() => pool.end());
  const planted = randomBytes(32);
  const claim = (familyId: string, proof: unknown, successor: Buffer = planted, more: unknown[] = []) => {
    const [at = new Date(begin), address = null, agent = null] = more;
    return pool.query('SELECT refresh_family_claim($1, $2, $3, $4, $5, $6) AS claimed', [
      ...[familyId, proof, successor, at, address, agent],
    ]);
  };

  it('puts no token of its own in the place of another’s: what it reads is no proof', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const row = await services.row(familyId);
    for (const proof of [row?.token_hash, planted, Buffer.alloc(0), null]) {
      expect((await claim(familyId, proof)).rows).toEqual([{ claimed: false }]);
    }
    await expect(
      pool.query('UPDATE refresh_family SET token_hash = $2 WHERE family_id = $1', [familyId, planted]),
    ).rejects.toMatchObject({ code: '42501' });
    expect(await services.row(familyId)).toEqual(row);
    expect(await exchange(refreshToken)).toMatchObject({ granted: true });
  });

  it('and holds a token, writes nothing that the registry could not read or show', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    const proof = createHash('sha256')
      .update(Buffer.from(refreshToken.slice(4), 'base64url').subarray(20))
      .digest();
    await expect(claim(familyId, proof, Buffer.alloc(31))).rejects.toMatchObject({ code: '23514' });
    await expect(claim(familyId, proof, planted, ['infinity'])).rejects.toMatchObject({ code: '23514' });
    const agent = 'x'.repeat(401);
    await expect(claim(familyId, proof, planted, [new Date(begin), null, agent])).rejects.toMatchObject({
      code: '23514',
    });
    expect(await services.row(familyId)).toMatchObject({ generation: 0 });
    expect((await claim(familyId, proof)).rows).toEqual([{ claimed: true }]);
  });

  it.each([
    ['a name of a client that is an address', 'client', 'somebody@example.org'],
    ['a device name that is too long', 'device', 'x'.repeat(101)],
    ['a creation that no program can read', 'created', 'infinity'],
    ['a hash that is none', 'hash', Buffer.alloc(5)],
  ])('starts no family with %s', async (_what, field, value) => {
    const given: Record<string, unknown> = {
      client: 'web',
      device: 'Phone',
      created: new Date(begin),
      hash: planted,
    };
    given[field] = value;
    const start = pool.query(
      `SELECT refresh_family_start(gen_random_uuid(), gen_random_uuid(), 'app', $1, NULL, $2, NULL, NULL, $3, NULL, now(), $4)`,
      [given.client, given.device, given.hash, given.created],
    );
    await expect(start).rejects.toMatchObject({ code: '23514' });
  });
});

/** A service that stops between validation and minting, until it is let go. */
function pausing() {
  let letGo = () => {};
  let reached = false;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const service = services.service({
    beforeMint: () => {
      reached = true;
      return gate;
    },
  });
  return { service, letGo: () => letGo(), isReached: async () => reached };
}

describe('a revocation', () => {
  it('of the family waits for an exchange that was validated before, and the successor is dead', async () => {
    const { identityId, familyId, refreshToken } = await services.signIn(tokens);
    const slow = pausing();
    const order: string[] = [];
    const exchanged = slow.service.exchange(refreshToken, undefined, (asked) => {
      order.push('minted');
      return mint(asked);
    });
    await until('the exchange is validated', slow.isReached);
    const revoked = tokens.revoke(identityId, familyId).then((did) => {
      order.push('revoked');
      return did;
    });
    await until('the revocation waits for the lock', async () => {
      const { rows } = await services.pool.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%refresh_family_end%'",
      );
      return rows.length === 1;
    });
    slow.letGo();
    const outcome = granted(await exchanged);
    expect(await revoked).toBe(true);
    expect(order).toEqual(['minted', 'revoked']);
    expect(await exchange(outcome.refreshToken)).toEqual({ granted: false, why: 'ended' });
  });

  it('of the family that came first mints nothing', async () => {
    const { identityId, familyId, refreshToken } = await services.signIn(tokens);
    expect(await tokens.revoke(identityId, familyId)).toBe(true);
    let minted = 0;
    const outcome = await tokens.exchange(refreshToken, undefined, () => {
      minted += 1;
    });
    expect([outcome, minted]).toEqual([{ granted: false, why: 'ended' }, 0]);
  });

  it('of the whole identity, between validation and minting, hands nothing out', async () => {
    const { identityId, refreshToken, familyId } = await services.signIn(tokens);
    const slow = pausing();
    const exchanged = exchange(refreshToken, slow.service);
    await until('the exchange is validated', slow.isReached);
    await writeNotBefore(services.pool, identityId, services.now);
    slow.letGo();
    expect(await exchanged).toEqual({ granted: false, why: 'account' });
    expect(await services.row(familyId)).toMatchObject({ generation: 0 });
  });
});

describe('an owner', () => {
  const standAt = (identityId: string, stage: string, since: number) =>
    services.pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
       VALUES ($1, $2, $3, $3, '{}', 0, $3)
       ON CONFLICT (identity_id) DO UPDATE SET stage = $2, stage_since = $3`,
      [identityId, stage, new Date(since)],
    );

  it.each([
    'suspended',
    'revoked',
    'deactivated',
    'deleted',
  ])('who was %s since the sign-in gets no token, and the attempt is no sign of life', async (stage) => {
    const noted: string[] = [];
    const noting = services.service({ dormouse: { noteActivity: (id) => noted.push(id) } });
    const { identityId, refreshToken } = await services.signIn(noting);
    await standAt(identityId, stage, services.now + 1_000);
    services.now += 2_000;
    noted.length = 0;
    expect(await exchange(refreshToken, noting)).toEqual({ granted: false, why: 'account' });
    expect(noted).toEqual([]);
    await standAt(identityId, 'active', services.now);
    expect(await exchange(refreshToken, noting)).toMatchObject({ granted: true });
    expect(noted).toEqual([identityId]);
  });

  it('who signs in again after a suspension gets tokens; after a deactivation, none', async () => {
    const identityId = randomUUID();
    await standAt(identityId, 'suspended', services.now - 1);
    const { refreshToken } = await services.signIn(tokens, { identityId });
    expect(await exchange(refreshToken)).toMatchObject({ granted: true });
    await standAt(identityId, 'deactivated', services.now - 1);
    expect(await tokens.issue({ identityId, clientId: 'web' })).toEqual({ granted: false, why: 'account' });
  });
});

describe('a stale family', () => {
  it('is refused when its token is presented, and ended; one that is 400 days old and was used yesterday is not', async () => {
    const old = await services.signIn(tokens);
    const used = await services.signIn(tokens);
    await services.age(old.familyId, begin - 365 * dayMs);
    await services.age(used.familyId, begin - 400 * dayMs, begin - dayMs);
    expect(await exchange(old.refreshToken)).toEqual({ granted: false, why: 'stale' });
    expect(await exchange(used.refreshToken)).toMatchObject({ granted: true });
    expect(await auditOf(old.identityId)).toEqual([
      ['refresh_family_started', undefined],
      ['refresh_family_revoked', 'unused'],
      ['tokens_revoked_stale', 'unused'],
    ]);
  });

  it('of the same address and user agent goes at the sign-in, unless it was used within 30 days', async () => {
    const identityId = randomUUID();
    const old = await services.signIn(tokens, { identityId });
    const recent = await services.signIn(tokens, { identityId });
    const elsewhere = await services.signIn(tokens, { identityId, request: requestFrom('198.51.100.7') });
    const neighbour = await services.signIn(tokens);
    await services.age(old.familyId, begin - 40 * dayMs, begin - 30 * dayMs);
    await services.age(recent.familyId, begin - 40 * dayMs, begin - 30 * dayMs + 1);
    await services.age(elsewhere.familyId, begin - 40 * dayMs);
    await services.age(neighbour.familyId, begin - 40 * dayMs);
    expect((await services.signIn(tokens, { identityId })).revoked).toBe(1);
    expect(await services.row(old.familyId)).toMatchObject({ ended_why: 'same_origin' });
    for (const { familyId } of [recent, elsewhere, neighbour]) {
      expect(await services.row(familyId)).toMatchObject({ ended_at: null });
    }
    expect(await tokens.signIn(neighbour.identityId, requestFrom('203.0.113.9'))).toBe(1);
    expect(await services.row(neighbour.familyId)).toMatchObject({ ended_why: 'same_origin' });
  });

  it('is told in the list, and the log adds up', async () => {
    const { identityId, familyId } = await services.signIn(tokens);
    await services.age(familyId, begin - 365 * dayMs);
    const now = await services.signIn(tokens, { identityId });
    expect(await tokens.list(identityId)).toEqual([
      expect.objectContaining({ id: now.familyId, lastAddress: '203.0.113.9', userAgent: 'Browser/1' }),
      expect.objectContaining({ id: familyId, ended: { at: begin, why: 'unused' } }),
    ]);
    const { rows } = await services.pool.query('SELECT count(*)::int AS rows FROM audit');
    expect(await verifyAudit(services.pool)).toEqual(rows[0]);
  });
});

describe('the address of a family', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['of a direct peer, whatever it forges', '203.0.113.9', { 'x-forwarded-for': '8.8.8.8' }, '203.0.113.9'],
    ['behind a trusted proxy', '10.0.0.1', { 'x-forwarded-for': '8.8.8.8, 203.0.113.9' }, '203.0.113.9'],
    ['within IPv6', '::ffff:203.0.113.9', {}, '203.0.113.9'],
  ])('%s', async (_what, socket, headers, address) => {
    const behind = services.service({ trustedProxies: ['10.0.0.0/8'] });
    const { familyId } = await services.signIn(behind, { request: requestFrom(socket, headers) });
    expect(await services.row(familyId)).toMatchObject({ first_address: address, last_address: address });
  });

  it('and the user agent are kept without what would disturb a list', async () => {
    const request = requestFrom('203.0.113.9', {
      'user-agent': `Browser\u0000/1 \u202Eevil \uD800${'x'.repeat(500)}`,
    });
    const { familyId } = await services.signIn(tokens, { request });
    const row = await services.row(familyId);
    expect(row?.user_agent).toMatch(/^Browser\/1 evil x{385}$/);
  });
});

describe('people', () => {
  const three = async () => {
    const identityId = randomUUID();
    const families = [
      await services.signIn(tokens, { identityId }),
      await services.signIn(tokens, { identityId }),
      await services.signIn(tokens, { identityId }),
    ] as const;
    return {
      identityId,
      families,
      alive: async () => (await tokens.list(identityId)).filter(({ ended }) => !ended),
    };
  };

  it('revoke one, all others, and all; never somebody else’s', async () => {
    const { identityId, families, alive } = await three();
    const stranger = await services.signIn(tokens);
    expect(await tokens.revoke(identityId, stranger.familyId)).toBe(false);
    expect(await tokens.revoke(identityId, families[0].familyId)).toBe(true);
    expect(await tokens.revoke(identityId, families[0].familyId)).toBe(false);
    expect(await tokens.revokeOthers(identityId, families[2].familyId)).toBe(1);
    expect((await alive()).map(({ id }) => id)).toEqual([families[2].familyId]);
    expect(await tokens.revokeAll(identityId)).toBe(1);
    expect(await alive()).toEqual([]);
    expect(await exchange(families[2].refreshToken)).toEqual({ granted: false, why: 'ended' });
    expect(await exchange(stranger.refreshToken)).toMatchObject({ granted: true });
  });

  it('keep the one that they name in capital letters, and lose none by a name that is no id', async () => {
    const { identityId, families, alive } = await three();
    await expect(tokens.revokeOthers(identityId, 'this one')).rejects.toThrow(/^keptFamilyId/);
    expect(await alive()).toHaveLength(3);
    expect(await tokens.revokeOthers(identityId, families[2].familyId.toUpperCase())).toBe(2);
    expect((await alive()).map(({ id }) => id)).toEqual([families[2].familyId]);
  });

  it('sign out, and the server’s copy is destroyed; a made-up token signs nobody out', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    await tokens.signOut(`${refreshToken.slice(0, -4)}AAAA`);
    await tokens.signOut('nonsense');
    expect(await services.row(familyId)).toMatchObject({ ended_at: null });
    await tokens.signOut(refreshToken);
    await tokens.signOut(refreshToken);
    expect(await services.row(familyId)).toMatchObject({ ended_why: 'signed_out' });
    expect(await exchange(refreshToken)).toEqual({ granted: false, why: 'ended' });
  });

  it.each<[string, 'revoke' | 'keep' | undefined, number]>([
    ['revoke', 'keep', 3],
    ['keep', 'revoke', 0],
    ['ask', 'keep', 0],
    ['ask', 'revoke', 3],
    ['ask', undefined, 3],
  ])('a password reset under the policy "%s", where the person wants %s, revokes %d', async (policy, wants, count) => {
    const { identityId } = await three();
    const service = services.service({ policy: { onPasswordReset: policy } });
    expect(await service.passwordReset(identityId, wants)).toBe(count);
  });
});

describe('the role of an app', () => {
  it.each([
    'UPDATE refresh_family SET ended_at = NULL, ended_why = NULL',
    'UPDATE refresh_family SET identity_id = gen_random_uuid()',
    'DELETE FROM refresh_family',
    'INSERT INTO refresh_family (family_id) VALUES (gen_random_uuid())',
  ])('may not: %s', async (statement) => {
    const app = new pg.Pool({ connectionString: services.appUrl });
    try {
      await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await app.end();
    }
  });

  it('cannot bring an ended family back', async () => {
    const { familyId, refreshToken } = await services.signIn(tokens);
    await tokens.signOut(refreshToken);
    const revive = services.pool.query(
      'UPDATE refresh_family SET ended_at = NULL, ended_why = NULL WHERE family_id = $1',
      [familyId],
    );
    await expect(revive).rejects.toThrow('an ended family stays ended');
  });
});

describe('wrong options', () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ key: 'short' }, /^key takes 32 bytes/],
    [{ policy: { unused: '1h' } }, /^the refresh policy: unused: 1h is shorter than a day/],
    [{ policy: { unsed: '1d' } }, /^the refresh policy: .*unsed/],
    [{ trustedProxies: ['proxy'] }, /^trustedProxies\.0/],
  ])('%j are refused by name', (options, message) => {
    expect(() => services.service(options)).toThrow(message);
  });

  it.each([
    [{ identityId: randomUUID(), clientId: 'web', authenticatedAt: Number.NaN }, /^authenticatedAt/],
    [{ identityId: randomUUID(), clientId: 'web', authenticatedAt: begin / 1_000 }, /^authenticatedAt/],
    [{ identityId: 'jo@example.com', clientId: 'web' }, /identityId/],
    [{ identityId: randomUUID(), clientId: 'jo@example.com' }, /^clientId/],
    [
      { identityId: randomUUID(), clientId: 'web', deviceName: 'a\u0000b' },
      /^deviceName holds a control character/,
    ],
  ])('a grant of %j is refused by name', async (grant, message) => {
    await expect(tokens.issue(grant)).rejects.toThrow(message);
  });
});
