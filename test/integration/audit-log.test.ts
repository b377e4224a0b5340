/** The audit log shows every change and removal. In a database of its own, because the test breaks it. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chainHash } from '../../src/audit/chain.js';
import { appendAudit } from '../../src/audit/log-table.js';
import { verifyAudit } from '../../src/audit/verification.js';
import { createPool } from '../../src/postgres/pool.js';
import { asSuperuser, auditEntry } from '../support/audit-forger.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { unknownId } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

const rowCount = 5;
beforeEach(async () => {
  await asSuperuser(pool, 'TRUNCATE audit');
  await appendAudit(
    pool,
    Array.from({ length: rowCount }, () => auditEntry()),
  );
});

describe('the table', () => {
  it.each([
    "UPDATE audit SET outcome = 'nothing happened' WHERE seq = 1",
    'DELETE FROM audit WHERE seq = 5',
    'TRUNCATE audit',
  ])('refuses %s', async (statement) => {
    await expect(pool.query(statement)).rejects.toThrow('append-only');
    expect(await verifyAudit(pool)).toEqual({ rows: rowCount });
  });
});

describe('verifyAudit', () => {
  it('finds nothing wrong with an unchanged chain, page by page', async () => {
    expect(await verifyAudit(pool)).toEqual({ rows: rowCount });
    expect(await verifyAudit(pool, 2)).toEqual({ rows: rowCount });
    expect(await verifyAudit(pool, 1)).toEqual({ rows: rowCount });
  });

  it('finds nothing wrong with an empty log', async () => {
    await asSuperuser(pool, 'TRUNCATE audit');
    expect(await verifyAudit(pool)).toEqual({ rows: 0 });
  });

  it.each([
    "outcome = 'left alone'",
    `target = '${unknownId()}'`,
    "actor = 'somebody'",
    "event_type = 'winback_sent'",
    "event_id = 'another'",
    "occurred_at = occurred_at + interval '1 millisecond'",
    "occurred_at = occurred_at + interval '1 microsecond'",
    "policy_id = 'strict'",
    'policy_version = 3',
    'policy_version = NULL',
    "stage = 'active'",
    'days_inactive = 90.12345679',
    `detail = '{"sessions":0,"consents":1,"note":"ümläut"}'`,
    "canonical = replace(canonical, 'done', 'gone')",
    "canonical = 'no JSON'",
    "canonical = 'null'",
    "previous_hash = repeat('0', 64)",
    "hash = repeat('a', 64)",
  ])('names the row in which somebody set %s', async (change) => {
    await asSuperuser(pool, `UPDATE audit SET ${change} WHERE seq = 3`);
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 3 });
    expect(await verifyAudit(pool, 2)).toMatchObject({ brokenAt: 3 });
  });

  it('names the place from which a row was taken', async () => {
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq = 2');
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 2 });
  });

  it('names the first row that was taken from the start', async () => {
    await asSuperuser(pool, 'DELETE FROM audit WHERE seq = 1');
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 1 });
  });

  it('names the first of two rows that changed places', async () => {
    await asSuperuser(
      pool,
      'UPDATE audit SET seq = 99 WHERE seq = 2',
      'UPDATE audit SET seq = 2 WHERE seq = 4',
      'UPDATE audit SET seq = 4 WHERE seq = 99',
    );
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 2 });
  });

  it('names the row after a gap that was closed by renumbering', async () => {
    await asSuperuser(
      pool,
      'DELETE FROM audit WHERE seq = 2',
      'UPDATE audit SET seq = seq - 1 WHERE seq > 2',
    );
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 2 });
  });

  it('names the row after one that was forged together with its hash', async () => {
    const { rows } = await pool.query('SELECT canonical, previous_hash FROM audit WHERE seq = 3');
    const canonical = String(rows[0].canonical).replace('"done"', '"gone"');
    const hash = chainHash(rows[0].previous_hash, canonical);
    const client = await pool.connect();
    await client.query('ALTER TABLE audit DISABLE TRIGGER ALL');
    await client.query("UPDATE audit SET outcome = 'gone', canonical = $1, hash = $2 WHERE seq = 3", [
      canonical,
      hash,
    ]);
    await client.query('ALTER TABLE audit ENABLE TRIGGER ALL');
    client.release();
    expect(await verifyAudit(pool)).toMatchObject({ brokenAt: 4 });
  });
});

describe('appendAudit', () => {
  it('appends each event once, and says how many were new', async () => {
    const [first, second] = [auditEntry(), auditEntry()];
    expect(await appendAudit(pool, [first, second, first])).toBe(2);
    expect(await appendAudit(pool, [second, auditEntry()])).toBe(1);
    expect(await appendAudit(pool, [])).toBe(0);
    expect(await verifyAudit(pool)).toEqual({ rows: rowCount + 3 });
  });

  it('keeps one chain under many writers, some of which repeat what others wrote', async () => {
    const pools = Array.from({ length: 6 }, () => createPool({ url: database.url, max: 4 }));
    const shared = Array.from({ length: 10 }, () => auditEntry());
    const added = await Promise.all(
      pools.flatMap((one) =>
        Array.from({ length: 8 }, (_, index) =>
          appendAudit(one, [auditEntry(), ...shared.slice(index, index + 3), auditEntry()]),
        ),
      ),
    );
    await Promise.all(pools.map((one) => one.end()));
    const total = 6 * 8 * 2 + shared.length;
    expect(added.reduce((sum, each) => sum + each, 0)).toBe(total);
    expect(await verifyAudit(pool)).toEqual({ rows: rowCount + total });
  });

  it('leaves nothing of a batch that fails', async () => {
    const bad = { ...auditEntry(), target: 'no-uuid' };
    await expect(appendAudit(pool, [auditEntry(), bad])).rejects.toThrow();
    expect(await verifyAudit(pool)).toEqual({ rows: rowCount });
  });
});
