/** Alters the text of a published policy as the owner of the table can. */
import type pg from 'pg';

/** @param pool the owner's: the runtime role may not */
export async function alterPolicy(
  pool: pg.Pool,
  id: string,
  version: number,
  find: string,
  replacement: string,
): Promise<void> {
  const { rowCount } = await pool.query(
    `UPDATE policy SET source = replace(source, $3, $4) WHERE id = $1 AND version = $2 AND strpos(source, $3) > 0`,
    [id, version, find, replacement],
  );
  if (rowCount !== 1) throw new Error(`${id}@${version} does not hold "${find}"`);
}
