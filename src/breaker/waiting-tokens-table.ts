/** Table `breaker_waiting_token`: the token ends that the breaker holds, as the latest sweeps found them. For operators; nothing rests on it. */
import type pg from 'pg';
import type { TokenAction } from '../domain/breaker/rules.js';
import type { TokenAct } from './batches.js';

/** What operators read of a token: nothing by which it could be used. */
export interface TokenShown {
  /** The id of the family or of the token; of a token in an app's table the beginning of the SHA-256 of its id. */
  readonly token: string;
  /** The limit that it is over, as `unused`. */
  readonly why: string;
}

export interface WaitingToken extends TokenShown {
  readonly identityId: string;
  readonly action: TokenAction;
  /** What swept it: `endRefresh/<policy>`, `endPersonal/<policy>`, or with `/<source>` after it. */
  readonly sweep: string;
  /** Epoch milliseconds. */
  readonly waitsSince: number;
}

const rowsAtOnce = 5_000;

/** Adds what a sweep found held. What it found before keeps the time since when it waits. */
export async function noteWaiting(
  pool: pg.Pool,
  { sweep, action }: Pick<WaitingToken, 'sweep' | 'action'>,
  held: readonly (TokenAct & TokenShown)[],
  now: number,
): Promise<void> {
  for (let from = 0; from < held.length; from += rowsAtOnce) {
    const page = held.slice(from, from + rowsAtOnce);
    await pool.query(
      `INSERT INTO breaker_waiting_token AS known (act_key, sweep, action, identity_id, token, why, waits_since, found_at)
       SELECT act_key, $1, $2, identity_id, token, why, $7, $7
       FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[]) AS held (act_key, identity_id, token, why)
       ON CONFLICT (act_key) DO UPDATE SET found_at = greatest(known.found_at, EXCLUDED.found_at), sweep = EXCLUDED.sweep,
         why = EXCLUDED.why`,
      [
        sweep,
        action,
        page.map(({ key }) => key),
        page.map(({ identityId }) => identityId),
        page.map(({ token }) => token),
        page.map(({ why }) => why),
        new Date(now),
      ],
    );
  }
}

/** Removes what a later sweep did not find held any more: it ended, was used, or is under its limit again. */
export async function forgetSettled(pool: pg.Pool, sweep: string, now: number): Promise<void> {
  await pool.query('DELETE FROM breaker_waiting_token WHERE sweep = $1 AND found_at < $2', [
    sweep,
    new Date(now),
  ]);
}

/** Of an identity that is deleted. */
export async function forgetWaitingTokens(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM breaker_waiting_token WHERE identity_id = $1', [identityId]);
}

/** After a release nothing holds them: the next sweep ends them. So only those with a trip in force are read. */
const isHeld = `EXISTS (SELECT FROM breaker_trip AS trip WHERE trip.released_at IS NULL AND trip.scope IN (waiting.action, 'all'))`;

export async function countWaitingTokens(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    `SELECT count(*) FROM breaker_waiting_token AS waiting WHERE ${isHeld}`,
  );
  return Number(rows[0]?.count ?? 0);
}

/** Reads by pages, so that a list of any length is cheap. @returns in the order of their owners */
export async function* waitingTokens(pool: pg.Pool, pageRows = 1_000): AsyncGenerator<WaitingToken> {
  let after: { identityId: string; key: string } | undefined;
  for (;;) {
    const { rows } = await pool.query<{
      act_key: string;
      sweep: string;
      action: TokenAction;
      identity_id: string;
      token: string;
      why: string;
      waits_since: Date;
    }>(
      `SELECT act_key, sweep, action, identity_id, token, why, waits_since FROM breaker_waiting_token AS waiting
       WHERE ${isHeld} AND ($1::uuid IS NULL OR (identity_id, act_key) > ($1, $2))
       ORDER BY identity_id, act_key LIMIT $3`,
      [after?.identityId ?? null, after?.key ?? null, pageRows],
    );
    for (const row of rows) {
      const { sweep, action, token, why } = row;
      const identityId = row.identity_id;
      yield { identityId, action, token, why, sweep, waitsSince: row.waits_since.getTime() };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = { identityId: last.identity_id, key: last.act_key };
  }
}
