/**
 * Table `disablement`: the identities that the engine itself set to inactive. Written before the
 * call to Kratos, so that after a crash the change is not mistaken for an admin's
 * (docs/architecture.md, invariant 5).
 */
import type pg from 'pg';

export interface Disablement {
  /** Kratos' `state_changed_at` before the engine's call. Epoch milliseconds. */
  readonly stateChangedBefore: number;
  /** When the intent was recorded. Epoch milliseconds. */
  readonly intendedAt: number;
  /** Kratos' answer. Absent until the call is answered. Epoch milliseconds. */
  readonly stateChangedAt?: number;
  /** The answer was lost. The change was found afterwards, and an admin may have made it in those minutes. */
  readonly isAssumed?: true;
}

/** Records the intent. Recording it again keeps the first time. */
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

/** Records Kratos' answer. */
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

/** Records a change that was found after the answer was lost. A recorded answer stays. */
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

interface Row {
  readonly identity_id: string;
  readonly state_changed_before: Date;
  readonly state_changed_at: Date | null;
  readonly is_assumed: boolean;
  readonly intended_at: Date;
}

export async function readDisablement(pool: pg.Pool, identityId: string): Promise<Disablement | undefined> {
  return (await readDisablements(pool, [identityId])).get(identityId);
}

/** The same for many identities at once. */
export async function readDisablements(
  pool: pg.Pool,
  identityIds: readonly string[],
): Promise<Map<string, Disablement>> {
  const found = await pool.query<Row>(
    `SELECT identity_id, state_changed_before, state_changed_at, is_assumed, intended_at FROM disablement
     WHERE identity_id = ANY($1)`,
    [identityIds],
  );
  return new Map(found.rows.map((row) => [row.identity_id, disablementOf(row)]));
}

function disablementOf(row: Row): Disablement {
  return {
    stateChangedBefore: row.state_changed_before.getTime(),
    intendedAt: row.intended_at.getTime(),
    ...(row.state_changed_at === null ? {} : { stateChangedAt: row.state_changed_at.getTime() }),
    ...(row.is_assumed && { isAssumed: true as const }),
  };
}

/** For an identity that was enabled again, or no longer exists. */
export async function forgetDisablement(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM disablement WHERE identity_id = $1', [identityId]);
}

/**
 * SQL: the row of the identity `$1` as `jsonb`, NULL where there is none. A tombstone keeps it
 * in case the identity reappears.
 */
export const disablementAsJson =
  '(SELECT to_jsonb(disablement) FROM disablement WHERE disablement.identity_id = $1)';

/**
 * How long after its intent a call without an answer may still have taken effect,
 * milliseconds: far longer than a call and the clocks' difference, far shorter than the time
 * until somebody else disables the identity.
 */
const openCallMs = 600_000;

/**
 * Whether the engine disabled an inactive identity and its state has not changed since. A change by somebody
 * else shows as another `state_changed_at`. While the answer to the call is unknown, a change soon after the
 * intent counts as the engine's. A later change is somebody else's: the call had no effect.
 */
export function isEnginesWork(disablement: Disablement | undefined, stateChangedAt: number): boolean {
  if (disablement === undefined) return false;
  if (disablement.stateChangedAt !== undefined) return disablement.stateChangedAt === stateChangedAt;
  const { stateChangedBefore, intendedAt } = disablement;
  return stateChangedAt > stateChangedBefore && stateChangedAt <= intendedAt + openCallMs;
}

/**
 * Whether the engine's change was never confirmed: it may be an admin's, made in the same minutes. The ladder
 * counts it as the engine's, but only an operator can bring the person back.
 */
export function isUnconfirmed(disablement: Disablement): boolean {
  return disablement.stateChangedAt === undefined || disablement.isAssumed === true;
}
