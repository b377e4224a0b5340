/** Standings written as a lifecycle would write them, for pages and lists that only read. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { dayMs } from '../../src/domain/duration.js';
import type { Standing } from '../../src/domain/standing.js';
import { writeStanding } from '../../src/standings/standings-table.js';

/** @param now epoch milliseconds. @returns the identity */
export async function writeSomebody(
  pool: pg.Pool,
  now: number,
  more: Partial<Standing> = {},
): Promise<string> {
  const identityId = randomUUID();
  const standing: Standing = {
    ...{ schemaVersion: 1, identityId, stage: 'active', since: now - dayMs, lastActiveAt: now - dayMs },
    ...{ activity: {}, why: 'the ladder runs', notices: [], completed: {}, warnings: [] },
    ...{ offBottom: true, signalWindowMs: 0 },
    ...more,
  };
  await writeStanding(pool, standing, now);
  return standing.identityId;
}
