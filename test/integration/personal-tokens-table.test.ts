/** Rows of personal access tokens in real PostgreSQL: made, rotated, ended, each with its entry in the audit log. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { personalTokensSection } from '../../src/domain/tokens/personal-policy.js';
import { createPool } from '../../src/postgres/pool.js';
import {
  createToken,
  hashOf,
  type Issued,
  type Issuer,
  rotateToken,
} from '../../src/tokens/personal/issue.js';
import {
  findToken,
  forgetOldPersonalTokens,
  insertToken,
  lapseToken,
  readToken,
  readTokensOf,
  revokeToken,
  writeUses,
} from '../../src/tokens/personal/personal-tokens-table.js';
import { type AppDatabase, openAppDatabase } from '../support/app-database.js';
import { until } from '../support/until.js';

const day = 86_400_000;
const start = Date.parse('2026-03-01T01:00:00+05:30');
const reference = { id: 'p', version: 3, hash: 'a'.repeat(64) };

let database: AppDatabase;
let app: pg.Pool;
beforeAll(async () => {
  database = await openAppDatabase();
  app = createPool({ url: database.appUrl });
});
afterAll(async () => {
  await app.end();
  await database.close();
});

function issuer(fields: object = {}, now = start): Issuer {
  return { pool: app, policy: personalTokensSection.parse(fields), policyId: reference.id, now };
}

function mustBeIssued(outcome: Issued | Awaited<ReturnType<typeof rotateToken>>) {
  if (outcome.kind !== 'issued') throw new Error(`no token: ${outcome.kind}`);
  return outcome.issued;
}

async function make(fields: object = {}, request: object = {}, now = start) {
  const identityId = randomUUID();
  const who = { identityId, roles: [], actor: identityId };
  const outcome = await createToken(issuer(fields, now), who, { name: 'laptop', ...request });
  return { identityId, ...mustBeIssued(outcome) };
}

async function auditOf(identityId: string) {
  return (await readAudit(database.pool, identityId)).map(({ eventType, actor, detail, daysInactive }) => ({
    ...{ eventType, actor, detail, daysInactive },
  }));
}

describe('a token that is created by an app', () => {
  test('is found by its hash, and kept nowhere in clear', async () => {
    const { token, stored, identityId } = await make({ scopes: ['a', 'b'] }, { scopes: ['b', 'a'] });
    expect(await findToken(app, hashOf(token))).toEqual(stored);
    expect(stored).toEqual({
      ...{ tokenId: stored.tokenId, identityId, type: 'personal', name: 'laptop', roles: [], owner: {} },
      ...{ scopes: ['a', 'b'], policyId: 'p', createdAt: start },
    });
    const { rows } = await database.pool.query(
      'SELECT (SELECT json_agg(personal_token) FROM personal_token)::text || (SELECT json_agg(audit) FROM audit)::text AS everything',
    );
    expect(rows[0].everything).toContain(stored.tokenId);
    expect(rows[0].everything).not.toContain(token);
    expect(rows[0].everything).not.toContain(token.slice(4, 47));
  });

  test('is audited without its name', async () => {
    const { stored, identityId } = await make({ scopes: ['a'] }, { name: 'Zoë’s laptop', scopes: ['a'] });
    expect(await auditOf(identityId)).toEqual([
      {
        eventType: 'personal_token_created',
        actor: identityId,
        daysInactive: 0,
        detail: { scopes: 'a', tokenId: stored.tokenId, tokenType: 'personal' },
      },
    ]);
  });

  test('has the instant of its creation, whatever the zone of the session that reads it', async () => {
    const { stored } = await make();
    const client = await database.pool.connect();
    try {
      await client.query("SET TIME ZONE 'Asia/Kolkata'");
      const { rows } = await client.query(
        "SELECT created_at = timestamptz '2026-02-28 19:30:00+00' AS same FROM personal_token WHERE token_id = $1",
        [stored.tokenId],
      );
      expect(rows).toEqual([{ same: true }]);
    } finally {
      await client.query('RESET TIME ZONE');
      client.release();
    }
  });

  test('is refused beyond the most of the policy, also when two are asked for at once', async () => {
    const identityId = randomUUID();
    const who = { identityId, roles: [], actor: identityId };
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => createToken(issuer({ atMost: 3 }), who, { name: 'a' })),
    );
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([
      ...['issued', 'issued', 'issued'],
      ...['too-many', 'too-many', 'too-many'],
    ]);
    expect(await readTokensOf(app, identityId)).toHaveLength(3);
  });
});

describe('rotation', () => {
  test('ends the old token in the moment in which the new one begins, with the same lifetime', async () => {
    const { stored, identityId } = await make({}, { expiresAt: start + 30 * day });
    const which = { tokenId: stored.tokenId, identityId, actor: identityId };
    const rotated = mustBeIssued(await rotateToken(issuer({}, start + 20 * day), which));
    expect(await readToken(app, stored.tokenId)).toMatchObject({
      ended: 'rotated',
      endedAt: start + 20 * day,
    });
    expect(rotated.stored).toMatchObject({
      ...{ name: 'laptop', rotatedFrom: stored.tokenId, createdAt: start + 20 * day },
      expiresAt: start + 50 * day,
    });
    expect((await auditOf(identityId)).map(({ eventType }) => eventType)).toEqual([
      'personal_token_created',
      'personal_token_rotated',
    ]);
  });

  test('is under a ceiling that came since', async () => {
    const { stored } = await make();
    const which = { tokenId: stored.tokenId, actor: 'op-1' };
    const rotated = mustBeIssued(await rotateToken(issuer({ longestLifetime: '9d' }, start + day), which));
    expect(rotated.stored.expiresAt).toBe(start + 10 * day);
  });

  test('of one token twice at once gives one new token', async () => {
    const { stored, identityId } = await make();
    const which = { tokenId: stored.tokenId, identityId, actor: identityId };
    const outcomes = await Promise.all([
      rotateToken(issuer(), which),
      rotateToken(issuer(), which),
      rotateToken(issuer(), which),
    ]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['issued', 'none', 'none']);
    expect(await readTokensOf(app, identityId)).toHaveLength(1);
  });

  test.each([
    ['of another person', { identityId: randomUUID() }, start],
    ['that is over its inactivity', {}, start + 365 * day],
  ])('of a token %s gives none, and changes nothing', async (_what, which, now) => {
    const { stored } = await make();
    expect(await rotateToken(issuer({}, now), { tokenId: stored.tokenId, actor: 'op-1', ...which })).toEqual({
      kind: 'none',
    });
    expect((await readToken(app, stored.tokenId))?.ended).toBeUndefined();
  });

  test('of an owner who is deactivated gives none', async () => {
    const { stored, identityId } = await make();
    await stand(identityId, 'deactivated');
    expect(await rotateToken(issuer(), { tokenId: stored.tokenId, actor: 'op-1' })).toEqual({ kind: 'none' });
  });
});

describe('revocation', () => {
  test('ends a token once, and only for its owner', async () => {
    const { stored, identityId } = await make();
    const { tokenId } = stored;
    const ask = (who: string) => revokeToken(app, { tokenId, identityId: who, actor: who }, start + day);
    expect(await ask(randomUUID())).toBe(false);
    expect(await Promise.all([ask(identityId), ask(identityId)])).toEqual(
      expect.arrayContaining([true, false]),
    );
    expect(await auditOf(identityId)).toMatchObject([
      { eventType: 'personal_token_created' },
      { eventType: 'personal_token_revoked', actor: identityId, detail: { tokenId, tokenType: 'personal' } },
    ]);
  });

  test('by an operator names them and their reason', async () => {
    const { stored, identityId } = await make();
    await revokeToken(app, { tokenId: stored.tokenId, actor: 'op-7', reason: 'leaked' }, start);
    expect(await auditOf(identityId)).toMatchObject([{}, { actor: 'op-7', detail: { reason: 'leaked' } }]);
  });

  test.each([
    ['engine', /sweep only/],
    ['Self-Service', /Dormouse itself/],
    ['jo@example.com', /actor/],
  ])('in the name of %s is refused by the database', async (actor, problem) => {
    const { stored } = await make();
    await expect(revokeToken(app, { tokenId: stored.tokenId, actor }, start)).rejects.toThrow(problem);
    expect((await readToken(app, stored.tokenId))?.ended).toBeUndefined();
  });

  test('takes no reason without bounds', async () => {
    const { stored } = await make();
    const revocation = { tokenId: stored.tokenId, actor: 'op-1', reason: 'x'.repeat(201) };
    await expect(revokeToken(app, revocation, start)).rejects.toThrow('longer than 200');
    expect((await readToken(app, stored.tokenId))?.ended).toBeUndefined();
  });

  test('is final, whoever writes', async () => {
    const { stored } = await make();
    await revokeToken(app, { tokenId: stored.tokenId, actor: 'op-1' }, start);
    await expect(
      database.pool.query('UPDATE personal_token SET ended_at = NULL WHERE token_id = $1', [stored.tokenId]),
    ).rejects.toThrow(/stays ended/);
    await writeUses(app, [{ tokenId: stored.tokenId, at: start + day }]);
    expect((await readToken(app, stored.tokenId))?.lastUsedAt).toBeUndefined();
  });
});

test('a list has live tokens before those that ended, so that none is beyond its end', async () => {
  const { stored, identityId } = await make();
  const who = { identityId, roles: [], actor: identityId };
  const later = mustBeIssued(await createToken(issuer({}, start + day), who, { name: 'phone' })).stored;
  await revokeToken(app, { tokenId: later.tokenId, actor: 'op-1' }, start + day);
  const listed = await readTokensOf(app, identityId, { ended: true });
  expect(listed.map(({ tokenId }) => tokenId)).toEqual([stored.tokenId, later.tokenId]);
});

describe('the last use', () => {
  test('moves forward and never back, for many tokens in one statement', async () => {
    const [one, other] = [await make(), await make()];
    const used = (tokenId: string, at: number) => ({ tokenId, at });
    await writeUses(app, [used(one.stored.tokenId, start + 5), used(other.stored.tokenId, start + 7)]);
    await writeUses(app, [used(one.stored.tokenId, start + 3)]);
    expect((await readToken(app, one.stored.tokenId))?.lastUsedAt).toBe(start + 5);
    expect((await readToken(app, other.stored.tokenId))?.lastUsedAt).toBe(start + 7);
  });
});

describe('the end at a limit', () => {
  const over = { why: 'inactive', rule: 'inactive', endedAt: start + 365 * day, policy: reference } as const;

  test('is audited as tokens_revoked_stale with type, rule and days', async () => {
    const { stored, identityId } = await make();
    expect(await lapseToken(database.pool, { token: stored, ...over }, start + 366.5 * day)).toBe(true);
    expect((await auditOf(identityId)).at(-1)).toEqual({
      eventType: 'tokens_revoked_stale',
      actor: 'engine',
      daysInactive: 366.5,
      detail: {
        ...{ type: 'personal', tokenType: 'personal', tokenId: stored.tokenId, rule: 'inactive' },
        ...{ endedAt: start + 365 * day, isNeverUsed: true, unusedDays: 366 },
      },
    });
  });

  test('does not come where the token was used since it was judged', async () => {
    const { stored } = await make();
    await writeUses(app, [{ tokenId: stored.tokenId, at: start + 300 * day }]);
    expect(await lapseToken(database.pool, { token: stored, ...over }, start + 366 * day)).toBe(false);
    expect((await readToken(app, stored.tokenId))?.ended).toBeUndefined();
  });

  test('is not an app’s to write', async () => {
    const { stored } = await make();
    await expect(lapseToken(app, { token: stored, ...over }, start)).rejects.toMatchObject({ code: '42501' });
  });
});

test.each([
  'INSERT INTO personal_token SELECT * FROM personal_token',
  'UPDATE personal_token SET identity_id = gen_random_uuid()',
  "UPDATE personal_token SET scopes = '{admin}'",
  'UPDATE personal_token SET ended_at = now()',
  'DELETE FROM personal_token',
  "SELECT personal_token_audit(personal_token, 'account_deleted', 'op-1', 0, 0, NULL, NULL, NULL, 'done', '{}') FROM personal_token",
])('the role of an app may not: %s', async (statement) => {
  await make();
  await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
});

test('a role that sees no tokens can change the standing of somebody who has one', async () => {
  const { identityId } = await make();
  await stand(identityId, 'active');
  const client = await database.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('CREATE ROLE writes_standings');
    await client.query('GRANT SELECT, UPDATE ON standing TO writes_standings');
    await client.query('SET LOCAL ROLE writes_standings');
    const updated = await client.query("UPDATE standing SET stage = 'deactivated' WHERE identity_id = $1", [
      identityId,
    ]);
    expect(updated.rowCount).toBe(1);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('a deleted identity’s tokens are gone, and ended ones after their time', async () => {
  const [one, other] = [await make(), await make()];
  await buryIdentity(database.pool, one.identityId, undefined, start);
  expect(await findToken(app, hashOf(one.token))).toBeUndefined();
  await revokeToken(app, { tokenId: other.stored.tokenId, actor: 'op-1' }, start);
  await forgetOldPersonalTokens(database.pool, new Date(Date.now() - day));
  expect(await readToken(app, other.stored.tokenId)).toMatchObject({ ended: 'revoked' });
  await forgetOldPersonalTokens(database.pool, new Date(Date.now() + day));
  expect(await readToken(app, other.stored.tokenId)).toBeUndefined();
});

test('for a deleted identity no token is made', async () => {
  const { identityId } = await make();
  await buryIdentity(database.pool, identityId, undefined, start);
  const created = await createToken(
    issuer(),
    { identityId, roles: [], actor: identityId },
    { name: 'laptop' },
  );
  expect(created).toEqual({ kind: 'owner-deleted' });
  expect(await readTokensOf(app, identityId)).toEqual([]);
});

test.each([
  'made',
  'rotated',
])('a token that is %s while its owner is deleted is forgotten with them', async (what) => {
  const { identityId, stored } = await make();
  const [tokenId, hash] = [randomUUID(), Buffer.alloc(32, identityId)];
  const client = await app.connect();
  try {
    await client.query('BEGIN');
    if (what === 'made') {
      await client.query(
        "SELECT personal_token_create($1, $2, 'personal', 'phone', $3, '{}', '{}', NULL, 'p', $4, $5, 100)",
        [tokenId, identityId, hash, identityId, start],
      );
    } else {
      await client.query('SELECT personal_token_rotate($1, $2, $3, $4, NULL, $5, $6)', [
        ...[stored.tokenId, identityId, tokenId, hash, identityId, start],
      ]);
    }
    const buried = buryIdentity(database.pool, identityId, undefined, start);
    await until('the burial waits', async () => {
      const { rowCount } = await database.pool.query('SELECT FROM pg_locks WHERE NOT granted');
      return rowCount !== 0;
    });
    await client.query('COMMIT');
    await buried;
  } finally {
    client.release();
  }
  expect(await readTokensOf(app, identityId, { ended: true })).toEqual([]);
});

test.each([
  ['a scope that is free text', { scopes: ['called Zoë'] }],
  ['two scopes in one', { scopes: ['a\nb'] }],
  ['a type that is none', { type: 'Jo Doe' }],
  ['a policy that can have no such id', { policyId: 'Jo Doe' }],
  ['an expiry that no program can read', { expiresAt: Date.UTC(9_999, 0, 1) }],
  ['more roles than a person has', { roles: Array.from({ length: 101 }, () => 'r') }],
])('a row with %s is refused by the database', async (_what, fields) => {
  const identityId = randomUUID();
  const token = {
    ...{
      tokenId: randomUUID(),
      identityId,
      type: 'personal',
      name: 'laptop',
      hash: Buffer.alloc(32, identityId),
    },
    ...{ scopes: ['a', 'b'], roles: ['admin'], actor: identityId, atMost: 100 },
  };
  await expect(insertToken(app, { ...token, ...fields }, start)).rejects.toMatchObject({ code: '23514' });
  expect(await insertToken(app, token, start)).toBe('made');
});

test('a last use that no program can read is refused: it would stop the sweep at its row', async () => {
  const { stored } = await make();
  for (const time of ['infinity', '-infinity', '200000-01-01']) {
    await expect(
      app.query('UPDATE personal_token SET last_used_at = $2 WHERE token_id = $1', [stored.tokenId, time]),
    ).rejects.toMatchObject({ code: '23514' });
  }
});

test('the chain of the audit log is whole', async () => {
  await make();
  expect(await verifyAudit(database.pool)).toEqual({ rows: expect.any(Number) });
});

async function stand(identityId: string, stage: string): Promise<void> {
  await database.pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
     VALUES ($1, $2, now(), now(), '{}', 1, now())`,
    [identityId, stage],
  );
}
