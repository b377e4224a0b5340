/** Dormouse's own tables under repetition and concurrency, on the real PostgreSQL. */
import { afterAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import type { Standing } from '../../src/domain/standing.js';
import { migrate } from '../../src/postgres/migrate.js';
import { createPool } from '../../src/postgres/pool.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { intendDisablement, readDisablement } from '../../src/standings/disablements-table.js';
import { readStanding } from '../../src/standings/standings-table.js';
import { readNotBefore } from '../../src/tokens/revocations-table.js';
import { recordSigns } from '../support/record-signs.js';
import { fresh, openOutside, publish, slowPolicy, unknownId } from '../support/system-outside.js';

const outside = openOutside();
const { pool, ledger } = outside;
afterAll(() => outside.close());

function standingFor(identityId: string, more: Partial<Standing> = {}): Standing {
  return {
    schemaVersion: 1,
    identityId,
    stage: 'active',
    since: 1_700_000_000_000,
    lastActiveAt: 1_700_000_000_000,
    activity: {},
    why: 'a test',
    notices: [],
    completed: {},
    warnings: [],
    offBottom: false,
    signalWindowMs: 86_400_000,
    ...more,
  };
}

describe('text that was accepted before there was a rule', () => {
  it('is recorded with replacements, so that the identity is not frozen by it', async () => {
    const id = unknownId();
    const reason = 'a\u0000b\ud800';
    const holds = [{ id: 'h1', reason, actor: 'op-1', since: 1, until: 2 }];
    const poisoned = entryFor(id, { detail: { reason } });
    await ledger.record({ standing: standingFor(id, { holds }), revision: 1, audit: [poisoned] });
    const [row] = await readAudit(pool, id);
    expect(row?.detail).toEqual({ reason: 'a\ufffdb\ufffd' });
    expect((await readStanding(pool, id))?.holds?.[0]?.reason).toBe('a\ufffdb\ufffd');
    await ledger.record({ revision: 2, audit: [poisoned] });
    expect(await readAudit(pool, id)).toHaveLength(1);
    expect((await verifyAudit(pool)).brokenAt).toBeUndefined();
  });
});

function entryFor(target: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    eventId: fresh('event'),
    eventType: 'inactivity_warned',
    target,
    actor: 'engine',
    occurredAt: Date.now(),
    stage: 'warned',
    daysInactive: 30.5,
    outcome: 'done',
    ...more,
  };
}

describe('record', () => {
  it('writes projection and audit; written again, it leaves the same', async () => {
    const id = unknownId();
    const next = { step: 'notice', rung: 'delete', at: 1_800_000_000_000 } as const;
    const standing = standingFor(id, { stage: 'warned', next, blocked: { by: 'hold', why: 'leave' } });
    const input = { standing, revision: 10, audit: [entryFor(id), entryFor(id, { outcome: 'second' })] };
    await ledger.record(input);
    await ledger.record(input);
    expect(await readStanding(pool, id)).toEqual(standing);
    expect((await readAudit(pool, id)).map(({ outcome }) => outcome)).toEqual(['done', 'second']);
    const { rows } = await pool.query(
      'SELECT stage, next_step, blocked_by FROM standing WHERE identity_id = $1',
      [id],
    );
    expect(rows).toEqual([{ stage: 'warned', next_step: 'notice:delete', blocked_by: 'hold' }]);
  });

  it('never lets a late attempt overwrite a newer standing', async () => {
    const id = unknownId();
    await ledger.record({ standing: standingFor(id, { why: 'newer' }), revision: 20, audit: [] });
    await ledger.record({ standing: standingFor(id, { why: 'late' }), revision: 19, audit: [] });
    expect((await readStanding(pool, id))?.why).toBe('newer');
    await ledger.record({ standing: standingFor(id, { why: 'again' }), revision: 20, audit: [] });
    expect((await readStanding(pool, id))?.why).toBe('again');
  });

  it('writes audit alone', async () => {
    const id = unknownId();
    await ledger.record({ revision: 1, audit: [entryFor(id)] });
    expect(await readStanding(pool, id)).toBeUndefined();
    expect(await readAudit(pool, id)).toHaveLength(1);
  });

  it('keeps the policy, the actor and the detail of an entry', async () => {
    const id = unknownId();
    const policy = { id: 'default', version: 3, hash: 'abc' };
    const entry = entryFor(id, { policy, actor: 'operator-7', detail: { b: 1, a: 'two', c: true } });
    await ledger.record({ revision: 1, audit: [entry] });
    expect(await readAudit(pool, id)).toMatchObject([
      {
        policyId: 'default',
        policyVersion: 3,
        actor: 'operator-7',
        occurredAt: entry.occurredAt,
        daysInactive: 30.5,
        detail: { a: 'two', b: 1, c: true },
      },
    ]);
  });
});

describe('writeNotBefore', () => {
  it('only ever moves forward', async () => {
    const id = unknownId();
    expect(await readNotBefore(pool, id)).toBeUndefined();
    for (const at of [2_000, 1_000, 3_000, 2_500]) await ledger.writeNotBefore({ identityId: id, at });
    expect(await readNotBefore(pool, id)).toBe(3_000);
    await Promise.all([9, 7, 8].map((at) => ledger.writeNotBefore({ identityId: id, at: at * 1_000 })));
    expect(await readNotBefore(pool, id)).toBe(9_000);
  });
});

describe('bury', () => {
  it('forgets signs of life and disablement, leaves a tombstone, and may be repeated', async () => {
    const id = unknownId();
    await recordSigns(pool, [{ identityId: id, kind: 'human', at: 1_000, source: 'test' }]);
    await intendDisablement(pool, id, 1, 2);
    const policy = await publish(pool, slowPolicy(fresh('bury')));
    for (const deletedAt of [5_000, 6_000]) await ledger.bury({ identityId: id, policy, deletedAt });
    expect(await isBuried(pool, id)).toBe(true);
    expect(await readSigns(pool, id)).toEqual({});
    expect(await readDisablement(pool, id)).toBeUndefined();
    const { rows } = await pool.query('SELECT * FROM tombstone WHERE identity_id = $1', [id]);
    expect(rows).toEqual([
      {
        identity_id: id,
        deleted_at: new Date(5_000),
        policy_id: policy.id,
        policy_version: 1,
        action: 'delete',
        remembered: null,
      },
    ]);
  });

  it('buries without a policy', async () => {
    const id = unknownId();
    await ledger.bury({ identityId: id, deletedAt: 5_000 });
    expect(await isBuried(pool, id)).toBe(true);
    expect(await isBuried(pool, unknownId())).toBe(false);
  });
});

describe('forgetUnknown', () => {
  it("forgets one identity's signs of life and nobody else's", async () => {
    const [id, other] = [unknownId(), unknownId()];
    await recordSigns(
      pool,
      [id, other].map((identityId) => ({ identityId, kind: 'human', at: 1_000, source: 'test' })),
    );
    await ledger.forgetUnknown({ identityId: id });
    await ledger.forgetUnknown({ identityId: id });
    expect(await readSigns(pool, id)).toEqual({});
    expect(await readSigns(pool, other)).toEqual({ human: 1_000 });
  });
});

describe('a policy that was published', () => {
  it('is checked by the activity that applies it', async () => {
    const policy = await publish(pool, slowPolicy(fresh('policy')));
    expect(await ledger.checkPolicy({ policyChoice: { id: policy.id } })).toEqual(policy);
    await expect(ledger.checkPolicy({ policyChoice: { id: policy.id, version: 2 } })).rejects.toMatchObject({
      type: 'UnknownPolicy',
      nonRetryable: true,
    });
  });
});

describe('signs of life in PostgreSQL', () => {
  const sign = (identityId: string, at: number, source = 'test') =>
    ({ identityId, kind: 'human', at, source }) as const;

  it('keeps the maximum of each kind, whatever the order', async () => {
    const id = unknownId();
    for (const at of [2_000, 1_000, 3_000, 3_000, 2_500]) await recordSigns(pool, [sign(id, at)]);
    await recordSigns(pool, [{ ...sign(id, 500), kind: 'token' }]);
    expect(await readSigns(pool, id)).toEqual({ human: 3_000, token: 500 });
  });

  it('takes a batch with duplicates, and an empty batch', async () => {
    const [id, other] = [unknownId(), unknownId()];
    await recordSigns(pool, []);
    await recordSigns(pool, [sign(id, 1_000), sign(other, 7), sign(id, 3_000, 'latest'), sign(id, 2_000)]);
    expect(await readSigns(pool, id)).toEqual({ human: 3_000 });
    expect(await readSigns(pool, other)).toEqual({ human: 7 });
    const { rows } = await pool.query('SELECT source FROM identity_activity WHERE identity_id = $1', [id]);
    expect(rows).toEqual([{ source: 'latest' }]);
  });

  it('takes many overlapping batches at once without deadlock', async () => {
    const ids = Array.from({ length: 60 }, unknownId);
    const batches = Array.from({ length: 40 }, (_, batch) =>
      ids
        .map((id, index) => ({ sign: sign(id, 1_000 + batch), order: (index * 37 + batch * 17) % 61 }))
        .sort((a, b) => a.order - b.order)
        .map((entry) => entry.sign),
    );
    await Promise.all(batches.map((batch) => recordSigns(pool, batch)));
    for (const id of ids) expect(await readSigns(pool, id)).toEqual({ human: 1_039 });
  });

  it('stores no sign of a batch that PostgreSQL refuses', async () => {
    const id = unknownId();
    await expect(recordSigns(pool, [sign(id, 1_000), sign('no-uuid', 1_000)])).rejects.toThrow();
    expect(await readSigns(pool, id)).toEqual({});
  });
});

describe('migrate', () => {
  it('may run again, and from many processes at once', async () => {
    const url = outside.stack.postgres.url;
    await Promise.all([migrate(url), migrate(url), migrate(url)]);
    const other = createPool({ url });
    expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await other.end();
  });
});
