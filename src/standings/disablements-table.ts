/**
 * Table `disablement`: which identities the engine itself set to inactive. Written before the call to Kratos, so that
 * a crash after it is not mistaken for an admin's act (docs/architecture.md, invariant 5).
 */
import type pg from 'pg';

export interface Disablement {
  /** Kratos' `state_changed_at` as it was before the engine's call. Epoch milliseconds. */
  readonly stateChangedBefore: number;
  /** When the call was announced. Epoch milliseconds. */
  readonly intendedAt: number;
  /** What Kratos answered; absent while the call is under way. Epoch milliseconds. */
  readonly stateChangedAt?: number;
  /** The answer was lost: the change was found afterwards, and somebody else may have made it in those minutes. */
  readonly isAssumed?: true;
}

/** Announces the call; announcing again keeps the first announcement's time. */
export async function intendDisablement(
  pool: pg.Pool,
  identityId: string,
  stateChangedBefore: number,
  now: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO disablement (identity_id, state_changed_before, intended_at) VALUES ($1, $2, $3)
     ON CONFLICT (identity_id) DO UPDATE SET state_changed_before = EXCLUDED.state_changed_before,
       state_changed_at = NULL, is_assumed = false, intended_at = EXCLUDED.intended_at`,
    [identityId, new Date(stateChangedBefore), new Date(now)],
  );
}

/** Records what Kratos answered. */
export function confirmDisablement(
  pool: pg.Pool,
  identityId: string,
  stateChangedAt: number,
): Promise<unknown> {
  return pool.query(
    'UPDATE disablement SET state_changed_at = $2, is_assumed = false WHERE identity_id = $1',
    [identityId, new Date(stateChangedAt)],
  );
}

/** Records a change that was found after the answer was lost. One that was answered stays so. */
export function assumeDisablement(
  pool: pg.Pool,
  identityId: string,
  stateChangedAt: number,
): Promise<unknown> {
  return pool.query(
    `UPDATE disablement SET state_changed_at = $2, is_assumed = true
     WHERE identity_id = $1 AND state_changed_at IS NULL`,
    [identityId, new Date(stateChangedAt)],
  );
}

export async function readDisablement(pool: pg.Pool, identityId: string): Promise<Disablement | undefined> {
  const found = await pool.query<{
    state_changed_before: Date;
    state_changed_at: Date | null;
    is_assumed: boolean;
    intended_at: Date;
  }>(
    `SELECT state_changed_before, state_changed_at, is_assumed, intended_at FROM disablement
     WHERE identity_id = $1`,
    [identityId],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  return {
    stateChangedBefore: row.state_changed_before.getTime(),
    intendedAt: row.intended_at.getTime(),
    ...(row.state_changed_at === null ? {} : { stateChangedAt: row.state_changed_at.getTime() }),
    ...(row.is_assumed && { isAssumed: true as const }),
  };
}

/** For somebody who was let in again, or is no more. */
export async function forgetDisablement(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM disablement WHERE identity_id = $1', [identityId]);
}

/** SQL: the row of the identity `$1` as `jsonb`, NULL where there is none. A tombstone keeps it for somebody who shows up again. */
export const disablementAsJson =
  '(SELECT to_jsonb(disablement) FROM disablement WHERE disablement.identity_id = $1)';

/**
 * How long after its announcement a call without an answer may still have taken effect, milliseconds: far longer than
 * a call and the clocks' difference, far shorter than the time until somebody else disables the identity.
 */
const openCallMs = 600_000;

/**
 * Whether an inactive identity was disabled by the engine and left as it was. A change of state that the engine did
 * not make shows as another `state_changed_at`. While the answer to the call is unknown, a change that follows the
 * announced one soon counts as the engine's; a later one is somebody else's, for the call came to nothing.
 */
export function isEnginesWork(disablement: Disablement | undefined, stateChangedAt: number): boolean {
  if (disablement === undefined) return false;
  if (disablement.stateChangedAt !== undefined) return disablement.stateChangedAt === stateChangedAt;
  const { stateChangedBefore, intendedAt } = disablement;
  return stateChangedAt > stateChangedBefore && stateChangedAt <= intendedAt + openCallMs;
}

/**
 * Whether nobody saw the engine make the change: it may be an admin's, made in the same minutes. The ladder goes on by it, and
 * the way back takes an operator's word.
 */
export function isUnconfirmed(disablement: Disablement): boolean {
  return disablement.stateChangedAt === undefined || disablement.isAssumed === true;
}
