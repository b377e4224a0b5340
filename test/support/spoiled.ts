/** Makes identities that Kratos lists and Dormouse can't read. */
import type pg from 'pg';

/** Gives the identity a state that Kratos' API does not know: the record is there, and no program can take it for an identity. */
export async function spoil(kratosDatabase: pg.Pool, identityId: string): Promise<void> {
  await kratosDatabase.query("UPDATE identities SET state = 'archived' WHERE id = $1", [identityId]);
}

/** Lets the identity hold more than is read in one answer. */
export async function bloat(kratosDatabase: pg.Pool, identityId: string): Promise<void> {
  await kratosDatabase.query(
    `UPDATE identities SET metadata_admin = jsonb_build_object('photo', repeat('x', 4100000)) WHERE id = $1`,
    [identityId],
  );
}
