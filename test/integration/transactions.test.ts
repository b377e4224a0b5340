/** A transaction whose connection is cut, as by a restart or a fail-over of PostgreSQL. */

import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createPool, inTransaction } from '../../src/postgres/pool.js';

let pool: pg.Pool;
beforeAll(() => {
  pool = createPool({ url: inject('stack').postgres.url });
});
afterAll(() => pool.end());

it('fails between two statements, ends no process, and the next one has a connection that works', async () => {
  let listeners = 0;
  const failing = inTransaction(pool, async (client) => {
    const found = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    listeners = client.listenerCount('error');
    // The event that ends a process without a listener; caught here, so that a failure of this test ends no test run.
    const cut = new Promise((resolve) => client.once('error', resolve));
    await pool.query('SELECT pg_terminate_backend($1)', [found.rows[0]?.pid]);
    await cut;
    await client.query('SELECT 1');
  });
  await expect(failing).rejects.toThrow('not queryable');
  expect(listeners, 'somebody listens while the connection is taken').toBe(1);
  const next = await inTransaction(pool, (client) => client.query<{ one: number }>('SELECT 1 AS one'));
  expect(next.rows).toEqual([{ one: 1 }]);
});
