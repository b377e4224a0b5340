/** People with an older past in Kratos: tests can't wait for months. */
import type pg from 'pg';

/** Moves all dates of these identities in Kratos into the past; their sessions stay valid. */
export async function backdate(
  kratosDatabase: pg.Pool,
  identityIds: readonly string[],
  days: number,
): Promise<void> {
  await kratosDatabase.query(
    `UPDATE identities SET created_at = now() - $2 * interval '1 day',
       state_changed_at = now() - $2 * interval '1 day' WHERE id = ANY($1::uuid[])`,
    [identityIds, days],
  );
  await kratosDatabase.query(
    `UPDATE sessions SET authenticated_at = now() - $2 * interval '1 day',
       issued_at = now() - $2 * interval '1 day' WHERE identity_id = ANY($1::uuid[])`,
    [identityIds, days],
  );
}
