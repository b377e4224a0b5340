import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { loggedPath, RequestLog } from '../../src/middleware/inactive-tokens/request-log.js';

/** PostgreSQL, away and back. */
function database() {
  const outside = { isAway: false, lines: 0 };
  const query = async (_text: string, [times]: [Date[]]) => {
    if (outside.isAway) throw new Error('connection refused');
    outside.lines += times.length;
    return { rows: [] };
  };
  return { outside, pool: { query } as unknown as pg.Pool };
}

describe('loggedPath', () => {
  it.each([
    ['/', '/'],
    ['/billing/invoices', '/billing/invoices'],
    ['/people/ann@example.org', '/people/:value'],
    ['/people/0b7d8f8e-9a31-4f0e-8a55-7c1b2d3e4f5a/orders?x=1', '/people/:value/orders'],
    ['/people/:id/orders', '/people/:id/orders'],
    ['/reset/Zm9vYmFy1', '/reset/:value'],
    ['/caf%C3%A9', '/:value'],
    ['/a\u0000b', '/:value'],
    ['', '/'],
  ])('%j is logged as %j', (url, path) => {
    expect(loggedPath(url)).toBe(path);
  });

  it('is bounded', () => {
    expect(loggedPath(`/${'a/'.repeat(1_000)}`)).toHaveLength(256);
  });
});

describe('lines', () => {
  const line = { at: 1_000, category: 'AUDIT', event: 'request', identityId: 'a' } as const;

  it('wait while PostgreSQL is away, as many as there is room for, and the rest is counted', async () => {
    const { outside, pool } = database();
    const errors: unknown[] = [];
    const log = new RequestLog(pool, 'shop', (error) => errors.push(error));
    outside.isAway = true;
    for (let n = 0; n < 20_010; n += 1) log.note(line);
    await log.flush();
    expect([outside.lines, errors.length, log.lostLines()]).toEqual([0, 1, 10]);
    outside.isAway = false;
    await log.flush();
    expect([outside.lines, errors.length]).toEqual([20_000, 1]);
  });

  it('about nobody are few, because anybody can cause them', async () => {
    const { outside, pool } = database();
    const log = new RequestLog(pool, 'shop', () => undefined);
    const { identityId: _, ...nobody } = line;
    for (let n = 0; n < 500; n += 1) log.note({ ...nobody, at: 1_000 });
    for (let n = 0; n < 500; n += 1) log.note({ ...nobody, at: 2_000 });
    log.note(line);
    await log.flush();
    expect([outside.lines, log.lostLines()]).toEqual([41, 960]);
  });
});
