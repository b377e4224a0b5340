/** Table `idle_choice`: the idle limit that a person chose. The policy's limits stay above it. */
import type pg from 'pg';
import { sessionsChannel } from './sessions-table.js';

/** Keeps the choice, and tells every instance that listens. @param idleMs 0: "never" */
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
