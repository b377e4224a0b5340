/**
 * Asks the breaker: database functions that decide in one call each, under the breaker's lock where needed.
 */
import type pg from 'pg';
import type { Act } from './grants-table.js';

export interface Ask extends Act {
  /** Acts within this time count. Milliseconds. */
  readonly windowMs: number;
  /** How many acts the limit allows. */
  readonly allowed: number;
  /** There is a reason to pass only what operators have approved. */
  readonly isDoubted: boolean;
}

export type Verdict =
  | { readonly outcome: 'granted' }
  | { readonly outcome: 'held'; readonly tripId: number }
  /** Not granted because of the doubt. The caller trips the breaker. */
  | { readonly outcome: 'doubted' }
  /** Not granted because the limit is reached. The caller trips the breaker. */
  | { readonly outcome: 'limit'; readonly done: number };

/**
 * Answers any number of acts in one call, so that there is only one lock and one commit. In a transaction
 * the lock is kept until its end.
 * @param now epoch milliseconds
 * @returns the answers, in the order of `asks`
 */
export async function askBreaker(
  client: pg.Pool | pg.PoolClient,
  asks: readonly Ask[],
  now: number,
): Promise<Verdict[]> {
  const found = await client.query<{ verdict: string; held_by: string | null; done: string | null }>(
    'SELECT verdict, held_by, done FROM breaker_ask($1, $2, $3, $4, $5, $6, $7) ORDER BY nth',
    [
      new Date(now),
      asks.map(({ key }) => key),
      asks.map(({ action }) => action),
      asks.map(({ identityId }) => identityId),
      asks.map(({ windowMs }) => windowMs),
      asks.map(({ allowed }) => allowed),
      asks.map(({ isDoubted }) => isDoubted),
    ],
  );
  return found.rows.map(({ verdict, held_by, done }): Verdict => {
    if (verdict === 'held') return { outcome: 'held', tripId: Number(held_by) };
    if (verdict === 'limit') return { outcome: 'limit', done: Number(done) };
    return { outcome: verdict === 'granted' ? 'granted' : 'doubted' };
  });
}

export type Use =
  | { readonly outcome: 'used' }
  | { readonly outcome: 'held'; readonly tripId: number }
  /** The act is not counted, or no longer: the breaker has to be asked again. */
  | { readonly outcome: 'not-granted' };

/**
 * To be called right before the first effect of a granted act. A later trip stops the act, except a trip by a
 * limit that already counted it.
 */
export async function useGrant(pool: pg.Pool, act: Act, now: number): Promise<Use> {
  const found = await pool.query<{ held_by: string | null; is_counted: boolean }>(
    'SELECT held_by, is_counted FROM breaker_use($1, $2, $3, $4)',
    [act.key, act.action, act.identityId, new Date(now)],
  );
  const row = found.rows[0];
  if (row?.held_by != null) return { outcome: 'held', tripId: Number(row.held_by) };
  return { outcome: row?.is_counted === true ? 'used' : 'not-granted' };
}

/** As {@link useGrant}, for many acts of one kind. @returns the keys of those that may go on */
export async function useGrants(
  pool: pg.Pool,
  action: Act['action'],
  acts: readonly Omit<Act, 'action'>[],
  now: number,
): Promise<Set<string>> {
  const { rows } = await pool.query<{ key: string }>(
    `SELECT act.key FROM unnest($1::text[], $2::uuid[]) AS act (key, identity_id),
       LATERAL breaker_use(act.key, $3, act.identity_id, $4) AS used
     WHERE used.held_by IS NULL AND used.is_counted`,
    [acts.map(({ key }) => key), acts.map(({ identityId }) => identityId), action, new Date(now)],
  );
  return new Set(rows.map(({ key }) => key));
}

/** Returns the grant of an act that had no effect. An act that may have had an effect keeps its place. */
export async function giveGrantBack(pool: pg.Pool, key: string): Promise<void> {
  await giveGrantsBack(pool, [key]);
}

/** As {@link giveGrantBack}, for many acts. */
export async function giveGrantsBack(pool: pg.Pool, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  // guard: breaker: what may have had an effect keeps its place
  await pool.query('DELETE FROM breaker_grant WHERE act_key = ANY($1) AND used_at IS NULL', [keys]);
}

/**
 * Deletes grants that no policy's window counts any more.
 * @param windowMs the window of the asking policy; the longest of all is remembered
 */
export async function forgetOldGrants(pool: pg.Pool, windowMs: number, now: number): Promise<void> {
  const known = await pool.query<{ longest_ms: string }>(
    // guard: breaker: grants are kept for the longest window
    `INSERT INTO breaker_window AS known (longest_ms) VALUES ($1)
     ON CONFLICT (only_row) DO UPDATE SET longest_ms = greatest(known.longest_ms, EXCLUDED.longest_ms)
     RETURNING longest_ms`,
    [windowMs],
  );
  const keepFrom = new Date(now - 2 * Number(known.rows[0]?.longest_ms ?? windowMs));
  await pool.query('DELETE FROM breaker_grant WHERE granted_at < $1', [keepFrom]);
  await pool.query("DELETE FROM breaker_tally WHERE minute < $1::timestamptz - interval '1 minute'", [
    keepFrom,
  ]);
}
