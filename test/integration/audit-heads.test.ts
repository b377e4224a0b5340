/** Signed heads: what the chain alone can't show. In a database of its own, for it is forged on purpose. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chainHash } from '../../src/audit/chain.js';
import { createHeadKeeper } from '../../src/audit/head-keeper.js';
import { parseHeads } from '../../src/audit/heads-file.js';
import { readHeads, type SignedHead, streamHeads, writeHead } from '../../src/audit/heads-table.js';
import { appendAudit } from '../../src/audit/log-table.js';
import { pruneLog } from '../../src/audit/prune-log.js';
import { AuditBrokenError, signLatestHead } from '../../src/audit/sign-heads.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { verifyLog } from '../../src/audit/verify-log.js';
import { ConfigError } from '../../src/config.js';
import { generateSigningKey } from '../../src/keys/signing-keys.js';
import { asSuperuser, auditEntry } from '../support/audit-forger.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { fresh } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;
const key = generateSigningKey('ed25519');
const keys = [key];

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

const append = (count: number) =>
  appendAudit(
    pool,
    Array.from({ length: count }, () => auditEntry()),
  );
const stored = () => readHeads(pool, 0, 1_000_000);

/** Rows 1 to 9; rows 4, 6 and 9 are signed. */
beforeEach(async () => {
  await asSuperuser(pool, 'TRUNCATE audit', 'TRUNCATE audit_head', 'TRUNCATE audit_checkpoint');
  for (const [count, at] of [
    [4, 1_000],
    [2, 2_000],
    [3, 3_000],
  ] as const) {
    await append(count);
    await signLatestHead(pool, key, at);
  }
});

/** Rewrites the log from a row on so that the chain fits in itself again, as somebody with all rights can. */
async function recompute(from: number, forge: (canonical: string) => string): Promise<void> {
  const { rows } = await pool.query('SELECT seq, canonical, previous_hash FROM audit ORDER BY seq');
  let hash = String(rows[from - 1].previous_hash);
  for (const row of rows.slice(from - 1)) {
    const canonical = Number(row.seq) === from ? forge(row.canonical) : row.canonical;
    const previous = hash;
    hash = chainHash(previous, canonical);
    const outcome = JSON.parse(canonical)[11];
    await asSuperuser(
      pool,
      `UPDATE audit SET canonical = $t$${canonical}$t$, previous_hash = '${previous}', hash = '${hash}',
         outcome = '${outcome}' WHERE seq = ${row.seq}`,
    );
  }
}
const asIfNothingHappened = (canonical: string) => canonical.replace('"done"', '"nothing"');

describe('a pruned log', () => {
  const prune = (before: number) =>
    pruneLog(pool, key, { before, actor: 'olga', reason: 'kept for two years', at: 9_000 });
  /** The rows of `auditEntry` are all of one moment. */
  const afterThem = Date.UTC(2026, 0, 3);

  it('begins with a signed row, is whole from there on, and is signed further', async () => {
    const before = await stored();
    expect(await prune(afterThem)).toEqual({ rows: 8, from: 9 });
    expect(await verifyAudit(pool)).toEqual({ rows: 10 });
    const prunedBefore = { seq: 9, at: 9_000, actor: 'olga' };
    expect(await verifyLog(pool, { keys })).toMatchObject({
      rows: 10,
      badHeads: [],
      prunedBefore,
      vouchedFor: 9,
    });
    // Auditors' heads of removed rows contradict nothing; their heads of other rows are compared.
    expect((await verifyLog(pool, { keys, exported: before })).brokenAt).toBeUndefined();
    await append(2);
    expect(await signLatestHead(pool, key, 10_000)).toMatchObject({ seq: 12 });
    expect(await signLatestHead(pool, generateSigningKey('ed25519'), 10_000)).toMatchObject({ seq: 12 });
    const { rows } = await pool.query("SELECT actor, detail FROM audit WHERE event_type = 'audit_pruned'");
    expect(rows).toMatchObject([
      { actor: 'olga', detail: { rows: 8, from: 9, reason: 'kept for two years' } },
    ]);
  });

  it('is pruned again further on, and never twice for the same', async () => {
    await prune(afterThem);
    expect(await prune(afterThem)).toBeUndefined();
    await append(3);
    await signLatestHead(pool, key, 10_000);
    expect(await prune(Date.UTC(2030, 0, 1))).toMatchObject({ from: 13 });
    expect(await verifyLog(pool, { keys })).toMatchObject({ rows: 14, prunedBefore: { seq: 13 } });
  });

  it('is not pruned if no row is that old, or no row is signed', async () => {
    expect(await prune(Date.UTC(2020, 0, 1))).toBeUndefined();
    const other = generateSigningKey('ed25519');
    const request = { before: afterThem, actor: 'olga', reason: 'r', at: 1 };
    expect(await pruneLog(pool, other, request)).toBeUndefined();
    expect((await verifyAudit(pool)).rows).toBe(9);
  });

  it('is not pruned where it is broken', async () => {
    await asSuperuser(pool, "UPDATE audit SET outcome = 'x' WHERE seq = 2");
    await expect(prune(afterThem)).rejects.toThrow(/broken at row 2.*Nothing is removed/);
  });

  it.each([
    ['its first row is changed', "UPDATE audit SET hash = repeat('a', 64) WHERE seq = 9", 9],
    ['its first row is gone', 'DELETE FROM audit WHERE seq = 9', 9],
    ['a row after it is gone', 'DELETE FROM audit WHERE seq = 10', 10],
    ['the checkpoint is not what was signed', "UPDATE audit_checkpoint SET hash = repeat('a', 64)", 9],
    ['the checkpoint is signed by nobody', "UPDATE audit_checkpoint SET signature = 'x'", 9],
  ])('shows that %s', async (_what, statement, brokenAt) => {
    await prune(afterThem);
    if (brokenAt === 10) await append(1);
    await asSuperuser(pool, statement);
    expect((await verifyLog(pool, { keys })).brokenAt).toBe(brokenAt);
  });

  it('refuses to lose a row of what is kept, and the checkpoint', async () => {
    await prune(afterThem);
    for (const statement of [
      'DELETE FROM audit WHERE seq = 9',
      'DELETE FROM audit_checkpoint',
      'TRUNCATE audit_checkpoint',
    ])
      await expect(pool.query(statement)).rejects.toThrow(/append-only/);
  });
});

describe('the table of heads', () => {
  it.each([
    'UPDATE audit_head SET seq = 5',
    'DELETE FROM audit_head',
    'TRUNCATE audit_head',
  ])('refuses %s', async (statement) => {
    await expect(pool.query(statement)).rejects.toThrow('append-only');
    expect(await stored()).toHaveLength(3);
  });
});

describe('signLatestHead', () => {
  it('signs the last row once', async () => {
    expect((await stored()).map(({ seq, at }) => [seq, at])).toEqual([
      [4, 1_000],
      [6, 2_000],
      [9, 3_000],
    ]);
    expect(await signLatestHead(pool, key, 4_000)).toBeUndefined();
    await append(1);
    expect(await signLatestHead(pool, key, 4_000)).toMatchObject({ seq: 10, keyId: key.keyId, at: 4_000 });
  });

  it('signs nothing of an empty log', async () => {
    await asSuperuser(pool, 'TRUNCATE audit', 'TRUNCATE audit_head');
    expect(await signLatestHead(pool, key, 1)).toBeUndefined();
  });

  it('signs one head under many signers', async () => {
    await append(3);
    const signed = await Promise.all(Array.from({ length: 4 }, () => signLatestHead(pool, key, 5_000)));
    expect(signed.filter((head) => head !== undefined)).toHaveLength(1);
  });

  it('never covers up a row that was changed since the last head', async () => {
    await append(3);
    await asSuperuser(pool, "UPDATE audit SET outcome = 'nothing' WHERE seq = 11");
    await expect(signLatestHead(pool, key, 5_000)).rejects.toThrow(AuditBrokenError);
    await expect(signLatestHead(pool, key, 5_000)).rejects.toThrow(/broken at row 11: its column outcome/);
    expect(await stored()).toHaveLength(3);
  });

  it('never signs a log that was rewritten below the last head, or cut off at its end', async () => {
    await recompute(2, asIfNothingHappened);
    await append(1);
    await expect(signLatestHead(pool, key, 5_000)).rejects.toThrow(/row 9: its hash is not the one/);
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq >= 9');
    await expect(signLatestHead(pool, key, 5_000)).rejects.toThrow(/row 9: it is missing/);
  });

  it('does not continue from a head that somebody else added', async () => {
    await recompute(2, asIfNothingHappened);
    const { hash } = (await pool.query('SELECT hash FROM audit WHERE seq = 9')).rows[0];
    await asSuperuser(pool, `UPDATE audit_head SET hash = '${hash}' WHERE seq = 9`);
    await expect(signLatestHead(pool, key, 5_000)).rejects.toThrow(/row 6: its hash is not the one/);
  });

  it('goes on past forged heads, and tells of them: one at the end, one of the next row, one that is early', async () => {
    const { hash } = (await pool.query('SELECT hash FROM audit WHERE seq = 9')).rows[0];
    await append(1);
    const { hash: latest } = (await pool.query('SELECT hash FROM audit WHERE seq = 10')).rows[0];
    const forge = (seq: number, of: string) =>
      writeHead(pool, { seq, hash: of, at: 9_000_000_000_000, keyId: key.keyId, signature: fresh('forged') });
    await Promise.all([forge(9, hash), forge(10, latest), forge(10, latest)]);
    const told: number[] = [];
    expect(await signLatestHead(pool, key, 5_000, ({ seq }) => told.push(seq))).toMatchObject({ seq: 10 });
    expect(told).toEqual([10, 10]);
    expect(await verifyLog(pool, { keys: [key] })).toMatchObject({
      rows: 10,
      vouchedFor: 10,
      badHeads: [{}, {}, {}],
    });
  });

  it('a head of a row that the log does not have is not taken', async () => {
    const { hash } = (await pool.query('SELECT hash FROM audit WHERE seq = 9')).rows[0];
    const head = { at: 1, keyId: key.keyId, signature: 'x' };
    await expect(writeHead(pool, { seq: 2 ** 53, hash, ...head })).rejects.toThrow(/no such row/);
    await expect(writeHead(pool, { seq: 8, hash, ...head })).rejects.toThrow(/no such row/);
  });

  it('with a new key verifies from the start', async () => {
    await asSuperuser(pool, "UPDATE audit SET actor = 'x' WHERE seq = 2");
    await expect(signLatestHead(pool, generateSigningKey('ed25519'), 5_000)).rejects.toThrow(/row 2/);
  });
});

describe('verifyLog', () => {
  it('finds nothing wrong with an unchanged log', async () => {
    await append(2);
    const whole = { rows: 11, badHeads: [], headsChecked: 3, vouchedFor: 9 };
    expect(await verifyLog(pool, { keys })).toEqual(whole);
    expect(await verifyLog(pool, { keys, pageSize: 2 })).toEqual(whole);
    const exported = await stored();
    expect(await verifyLog(pool, { keys, exported })).toEqual({ ...whole, headsChecked: 6 });
  });

  it.each([
    ["UPDATE audit SET outcome = 'x' WHERE seq = 5", 5, /column outcome/],
    ["UPDATE audit SET hash = repeat('a', 64) WHERE seq = 5", 5, /hash is not that of its text/],
    ["UPDATE audit SET previous_hash = repeat('a', 64) WHERE seq = 5", 5, /does not follow/],
    ['DELETE FROM audit WHERE seq = 5', 5, /is missing: row 6 comes next/],
    ['UPDATE audit SET seq = seq + 100 WHERE seq >= 5', 5, /is missing: row 105/],
  ])('names the row of %s', async (statement, brokenAt, why) => {
    await asSuperuser(pool, statement);
    const verdict = await verifyLog(pool, { keys, pageSize: 3 });
    expect(verdict).toMatchObject({ brokenAt, why: expect.stringMatching(why), badHeads: [] });
  });

  it('names a row that was slipped in, and the first of two that changed places', async () => {
    const { rows } = await pool.query('SELECT canonical, hash FROM audit WHERE seq = 9');
    await asSuperuser(
      pool,
      `INSERT INTO audit SELECT 10, 'slipped-in', event_type, target, actor, occurred_at, policy_id, policy_version,
         stage, days_inactive, outcome, detail, canonical, '${rows[0].hash}', hash FROM audit WHERE seq = 9`,
    );
    expect(await verifyLog(pool, { keys })).toMatchObject({ brokenAt: 10 });
    await asSuperuser(
      pool,
      'DELETE FROM audit WHERE seq = 10',
      'UPDATE audit SET seq = 99 WHERE seq = 2',
      'UPDATE audit SET seq = 2 WHERE seq = 7',
      'UPDATE audit SET seq = 7 WHERE seq = 99',
    );
    expect(await verifyLog(pool, { keys })).toMatchObject({ brokenAt: 2 });
  });

  it('shows by stored heads that rows were taken from the end, where the chain alone shows nothing', async () => {
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq > 7');
    expect(await verifyAudit(pool)).toEqual({ rows: 7 });
    expect(await verifyLog(pool, { keys })).toMatchObject({
      brokenAt: 8,
      why: expect.stringMatching(/row 9 was there on 1970-01-01T00:00:03/),
    });
  });

  it('shows by exported heads that rows were taken from the end together with their heads', async () => {
    const exported = await stored();
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq > 7', 'DELETE FROM audit_head WHERE seq > 7');
    expect((await verifyLog(pool, { keys })).brokenAt).toBeUndefined();
    expect(await verifyLog(pool, { keys, exported })).toMatchObject({ brokenAt: 8 });
  });

  it('shows by stored heads that the chain was computed anew, between which rows', async () => {
    await recompute(5, asIfNothingHappened);
    expect(await verifyAudit(pool)).toEqual({ rows: 9 });
    expect(await verifyLog(pool, { keys, pageSize: 2 })).toMatchObject({ brokenAt: 5, brokenBy: 6 });
  });

  it('shows by exported heads that log and heads were both written anew', async () => {
    const exported = parseHeads((await stored()).map((head) => JSON.stringify(head)).join('\n'), 'heads');
    await recompute(1, asIfNothingHappened);
    await asSuperuser(pool, 'TRUNCATE audit_head');
    // The forger has no key: the log looks whole, but no signature confirms it.
    expect(await verifyLog(pool, { keys })).toMatchObject({ vouchedFor: 0 });
    expect(await verifyLog(pool, { keys, exported })).toMatchObject({ brokenAt: 1, brokenBy: 4 });
  });

  it("does not believe heads that the forger's own key signed", async () => {
    await recompute(1, asIfNothingHappened);
    await asSuperuser(pool, 'TRUNCATE audit_head');
    const forger = generateSigningKey('ed25519');
    await signLatestHead(pool, forger, 3_000);
    expect((await verifyLog(pool, { keys })).badHeads).toEqual([
      { seq: 9, why: expect.stringContaining(`signed by the key ${forger.keyId}, which is not among`) },
    ]);
  });

  it.each([
    ["hash = repeat('a', 64)", /something else than what was signed/],
    ["signed_at = signed_at + interval '1 s'", /something else than what was signed/],
    ["signature = replace(signature, '.', '.A')", /not valid/],
    ["signature = ''", /not valid/],
    ["key_id = 'another'", /not among those given/],
  ])('reports a head in which somebody set %s', async (change, why) => {
    await asSuperuser(pool, `UPDATE audit_head SET ${change} WHERE seq = 6`);
    const { badHeads } = await verifyLog(pool, { keys });
    expect(badHeads).toEqual([{ seq: 6, why: expect.stringMatching(why) }]);
  });

  it('knows the heads of an older key where its public half is given', async () => {
    await append(1);
    const next = generateSigningKey('ed25519');
    await signLatestHead(pool, next, 9_000);
    expect(await verifyLog(pool, { keys: [next, key] })).toMatchObject({ headsChecked: 4, badHeads: [] });
    expect((await verifyLog(pool, { keys: [next] })).badHeads).toHaveLength(3);
  });

  it('compares without a key, and says that nothing was checked; exported heads want one', async () => {
    expect(await verifyLog(pool, { keys: [] })).toMatchObject({ headsChecked: 0, vouchedFor: 0 });
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq > 7');
    expect(await verifyLog(pool, { keys: [] })).toMatchObject({ brokenAt: 8 });
    const work = verifyLog(pool, { keys: [], exported: await stored() });
    await expect(work).rejects.toThrow(ConfigError);
  });
});

describe('exported heads', () => {
  it('are the stored ones, page by page, and are read back', async () => {
    await signLatestHead(pool, generateSigningKey('ed25519'), 4_000);
    const heads: SignedHead[] = [];
    for await (const head of streamHeads(pool, 4, 1)) heads.push(head);
    expect(heads.map(({ seq }) => seq)).toEqual([6, 9, 9]);
    expect(parseHeads(heads.map((head) => `${JSON.stringify(head)}\n`).join(''), 'heads')).toEqual(heads);
  });

  it.each(['{"seq":1}', 'no JSON', '[]'])('are refused with their line: %s', async (line) => {
    const [first] = await stored();
    expect(() => parseHeads(`${JSON.stringify(first)}\n${line}\n`, 'kept.jsonl')).toThrow(/^kept\.jsonl:2 /);
  });
});

describe('the keeper of heads', () => {
  const open = () => {
    const pending: { work: () => void; afterMs: number }[] = [];
    const errors: unknown[] = [];
    let now = 100_000;
    const keeper = createHeadKeeper({
      pool,
      key,
      clock: { now: async () => now },
      log: { error: (entry: unknown) => errors.push(entry), debug: () => undefined },
      later: (work, afterMs) => {
        const one = { work, afterMs };
        pending.push(one);
        return () => pending.splice(pending.indexOf(one), 1);
      },
    });
    return { keeper, pending, errors, set: (at: number) => (now = at) };
  };
  const last = async () => (await stored()).at(-1);

  it('signs after a minute, once for many appends', async () => {
    const { keeper, pending } = open();
    await append(2);
    keeper.noteAppended();
    keeper.noteAppended();
    expect(pending.map(({ afterMs }) => afterMs)).toEqual([60_000]);
    pending.shift()?.work();
    await keeper.close();
    expect(await last()).toMatchObject({ seq: 11, at: 100_000 });
    expect(await stored()).toHaveLength(4);
  });

  it('accepts that another worker was first, and signs the rest when the minute is over', async () => {
    const { keeper, pending } = open();
    await append(1);
    await signLatestHead(pool, key, 90_000);
    await append(1);
    keeper.noteAppended();
    pending.shift()?.work();
    await expect.poll(() => pending.map(({ afterMs }) => afterMs)).toEqual([50_000]);
    expect(await last()).toMatchObject({ seq: 10 });
    await keeper.close();
    expect(await last()).toMatchObject({ seq: 11 });
    expect(pending).toEqual([]);
  });

  it('signs at shutdown, and arms nothing afterwards', async () => {
    const { keeper, pending } = open();
    await append(1);
    await keeper.close();
    expect(await last()).toMatchObject({ seq: 10 });
    keeper.noteAppended();
    expect(pending).toEqual([]);
  });

  it('reports a broken log and never throws into the append', async () => {
    const { keeper, errors } = open();
    await append(1);
    await asSuperuser(pool, "UPDATE audit SET outcome = 'x' WHERE seq = 10");
    keeper.noteAppended();
    await keeper.close();
    expect(errors).toEqual([{ err: expect.any(AuditBrokenError) }]);
  });
});
