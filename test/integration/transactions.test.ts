/** What becomes of a transaction whose connection is cut, as by a restart or a fail-over of PostgreSQL. */

import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createPool, inTransaction } from '../../src/store/pool.js';

let pool: pg.Pool;
beforeAll(() => {
  pool = createPool({ url: inject('stack').postgres.url });
});
afterAll(() => pool.end());

it('fails between two statements, ends no process, and the next one has a connection that works', async () => {
  const failing = inTransaction(pool, async (client) => {
    const found = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // Without a listener for it, this event would end the process (and this test run).
    const cut = new Promise((resolve) => client.once('error', resolve));
    expect(client.listenerCount('error')).toBeGreaterThan(1);
    await pool.query('SELECT pg_terminate_backend($1)', [found.rows[0]?.pid]);
    await cut;
    await client.query('SELECT 1');
  });
  await expect(failing).rejects.toThrow();
  const next = await inTransaction(pool, (client) => client.query<{ one: number }>('SELECT 1 AS one'));
  expect(next.rows).toEqual([{ one: 1 }]);
});
