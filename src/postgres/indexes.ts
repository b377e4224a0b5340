/**
 * Indexes that came after their table: built while others write (`CREATE INDEX CONCURRENTLY`), which no migration can, for
 * those run in a transaction.
 */
import type pg from 'pg';
import { withClient } from './roles.js';

/** By name: table, columns and condition. A name never changes its meaning; what is not needed any more is dropped by a migration. */
export const laterIndexes: Readonly<Record<string, string>> = {
  // Bounces that name only what the server said at acceptance.
  mail_queue_id: 'mail (queue_id) WHERE queue_id IS NOT NULL',
  // The latest mails to anybody: whether a server refuses everybody.
  mail_settled_at: 'mail (settled_at)',
  // Our own name of a mail, whatever a relay made of the rest of its Message-ID.
  mail_name: 'mail (substr(message_id, 2, 40))',
};

/** Builds those that are missing. Many processes may call it at once; where another is at it, it is left to that one. */
export async function ensureIndexes(url: string, lockTimeoutMs: number): Promise<void> {
  await withClient(url, async (client) => {
    // Tried, not waited for: a session that waits keeps the building one from its end.
    const lock = await client.query<{ taken: boolean }>(
      "SELECT pg_try_advisory_lock(hashtext('dormouse/indexes')) AS taken",
    );
    if (lock.rows[0]?.taken !== true) return;
    await client.query(`SET lock_timeout = ${Math.floor(lockTimeoutMs)}`);
    for (const [name, definition] of Object.entries(laterIndexes))
      await ensureIndex(client, name, definition);
  });
}

async function ensureIndex(client: pg.Client, name: string, definition: string): Promise<void> {
  const found = await client.query<{ indisvalid: boolean }>(
    'SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)',
    [name],
  );
  if (found.rows[0]?.indisvalid === true) return;
  // One whose building was interrupted is there, and is good for nothing.
  await client.query(`DROP INDEX IF EXISTS ${name}`);
  await client.query(`CREATE INDEX CONCURRENTLY ${name} ON ${definition}`);
}
