/**
 * Table `breaker_wake`: the identities woken after a release, so that only one of many workers wakes each.
 */
import type pg from 'pg';

/**
 * Takes identities that wait for the breaker although nothing holds them any more: their trips are released,
 * or a release covers them. Each is returned once after a release, and again after an hour where that had no
 * effect, to the first caller. By PostgreSQL's clock.
 * @param atMost identities
 */
export async function takeReleased(pool: pg.Pool, atMost: number): Promise<string[]> {
  const taken = await pool.query<{ identity_id: string }>(
    `WITH forgotten AS (
       DELETE FROM breaker_wake WHERE woken_at < now() - interval '1 day'
     ), latest AS (
       SELECT greatest(
         now() - interval '1 hour',
         least(now(), (SELECT max(released_at) FROM breaker_trip)),
         least(now(), (SELECT max(effective_at) FROM breaker_release))
       ) AS at
     )
     INSERT INTO breaker_wake AS known (identity_id, woken_at)
     SELECT held.identity_id, now() FROM standing AS held
     WHERE held.blocked_by = 'breaker'
       AND NOT EXISTS (
         SELECT FROM breaker_trip AS trip
         WHERE trip.released_at IS NULL AND trip.scope IN (held.next_step, 'all')
           AND NOT EXISTS (
             SELECT FROM breaker_pass AS pass
             WHERE pass.trip_id = trip.id AND pass.identity_id = held.identity_id AND pass.used_by IS NULL
           )
       )
       AND NOT EXISTS (
         SELECT FROM breaker_wake AS woken
         WHERE woken.identity_id = held.identity_id AND woken.woken_at >= (SELECT at FROM latest)
       )
     ORDER BY held.identity_id LIMIT $1
     ON CONFLICT (identity_id) DO UPDATE SET woken_at = EXCLUDED.woken_at
       WHERE known.woken_at < (SELECT at FROM latest)
     RETURNING identity_id`,
    [atMost],
  );
  return taken.rows.map(({ identity_id }) => identity_id);
}
