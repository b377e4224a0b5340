/** The token hook's facts about an identity, in one read: stage, since when, and the revocation. */
import type pg from 'pg';
import type { Stage } from '../domain/rungs.js';
import type { TokenStanding } from './admission-rules.js';

interface Row {
  readonly stage: Stage | null;
  readonly stage_since: Date | null;
  readonly not_before: Date | null;
}

/** @returns an empty standing for an unknown identity */
export async function readTokenStanding(
  pool: pg.Pool | pg.PoolClient,
  identityId: string,
): Promise<TokenStanding> {
  const found = await pool.query<Row>(
    `SELECT standing.stage, standing.stage_since, revocation.not_before
     FROM (SELECT $1::uuid AS identity_id) AS asked
     LEFT JOIN standing USING (identity_id)
     LEFT JOIN revocation USING (identity_id)`,
    [identityId],
  );
  const { stage, stage_since: since, not_before: notBefore } = found.rows[0] ?? {};
  return {
    ...(stage ? { stage } : {}),
    ...(since ? { since: since.getTime() } : {}),
    ...(notBefore ? { notBefore: notBefore.getTime() } : {}),
  };
}
