/** How long ago the people of a policy were seen last: all the history of signs of life that is kept. */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';

/** Older ones count as this old. Days. */
const oldestDay = 3_650;

/**
 * Signs of machines are left out.
 * @param now epoch milliseconds
 * @returns how many people were seen last that many days ago, from day 0. Those who were never seen are not in it
 */
export async function readLastSeen(pool: pg.Pool, policyId: string, now: number): Promise<number[]> {
  const found = await pool.query<{ day: number; people: number }>(
    `SELECT least($3, greatest(0, floor(extract(epoch FROM $2::timestamptz - seen) / $4)))::int AS day, count(*)::int AS people
     FROM (
       SELECT greatest(
         (SELECT max(last_active_at) FROM identity_activity
          WHERE identity_activity.identity_id = standing.identity_id AND kind <> 'machine'),
         to_timestamp((document->'activity'->>'human')::double precision / 1000),
         to_timestamp((document->'activity'->>'token')::double precision / 1000)
       ) AS seen
       FROM standing WHERE policy_id = $1 AND stage <> 'deleted'
     ) AS person WHERE seen IS NOT NULL GROUP BY 1`,
    [policyId, new Date(now), oldestDay, dayMs / 1000],
  );
  const days = new Array<number>(Math.max(0, ...found.rows.map(({ day }) => day + 1))).fill(0);
  for (const { day, people } of found.rows) days[day] = people;
  return days;
}
