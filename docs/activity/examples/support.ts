// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/** What the examples share: the running stack, and what Dormouse has recorded. */
import { setTimeout as pause } from 'node:timers/promises';
import { readRunningStack } from '../../../dev/stack/info-file.js';
import type { StackInfo } from '../../../dev/stack/types.js';
import { createPool } from '../../../src/postgres/pool.js';

/** @throws when `npm start` is not running */
export async function runningStack(): Promise<StackInfo> {
  const stack = await readRunningStack('.stack');
  if (stack === undefined) throw new Error('No stack is running here. Start one: npm start');
  return stack;
}

/** Prints what arrived for an identity, once a row from `source` is there. */
export async function showActivity(stack: StackInfo, identityId: string, source: string): Promise<void> {
  const pool = createPool({ url: stack.postgres.url });
  try {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { rows } = await pool.query(
        'SELECT kind, source, last_active_at FROM identity_activity WHERE identity_id = $1',
        [identityId],
      );
      if (rows.some((row) => row.source === source)) return console.table(rows);
      await pause(100);
    }
    throw new Error(`Nothing arrived from ${source}`);
  } finally {
    await pool.end();
  }
}
