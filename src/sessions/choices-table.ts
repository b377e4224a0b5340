/** Table `idle_choice`: the idle limit that a person chose. The policy's limits stay above it. */
import type pg from 'pg';
import { sessionsChannel } from './sessions-table.js';

/** @returns milliseconds; 0: "never". `undefined`: the person chose nothing */
export async function readChoice(pool: pg.Pool, identityId: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ idle_ms: string }>(
    'SELECT idle_ms FROM idle_choice WHERE identity_id = $1',
    [identityId],
  );
  return rows[0] === undefined ? undefined : Number(rows[0].idle_ms);
}

/** Keeps the choice, and tells every instance that listens. */
export async function writeChoice(pool: pg.Pool, identityId: string, idleMs: number): Promise<void> {
  await pool.query(
    `WITH kept AS (
       INSERT INTO idle_choice (identity_id, idle_ms, chosen_at) VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (identity_id) DO UPDATE SET idle_ms = EXCLUDED.idle_ms, chosen_at = EXCLUDED.chosen_at
       RETURNING identity_id
     )
     SELECT pg_notify('${sessionsChannel}', 'choice/' || identity_id) FROM kept`,
    [identityId, Math.floor(idleMs)],
  );
}
