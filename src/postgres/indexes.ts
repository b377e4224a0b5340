/**
 * Indexes added after their table, built while others write (`CREATE INDEX CONCURRENTLY`). No migration can
 * do that, because migrations run in a transaction.
 */
import type pg from 'pg';
import { withClient } from './roles.js';

/**
 * By name: table, columns and condition. A name never changes its meaning. A migration drops an
 * index that is no longer needed.
 */
export const laterIndexes: Readonly<Record<string, string>> = {
  // For bounces that name only the server's queue ID.
  mail_queue_id: 'mail (queue_id) WHERE queue_id IS NOT NULL',
  // The latest mails to any recipient: whether a server refuses all of them.
  mail_settled_at: 'mail (settled_at)',
  // Our own name of a mail, even where a relay changed the rest of its Message-ID.
  mail_name: 'mail (substr(message_id, 2, 40))',
  // Hydra's token hook asks for the session that a login belongs to.
  idle_session_login_sids: 'idle_session USING gin (login_sids)',
  // The sweep asks which policy the latest family of a client is under.
  refresh_family_client: 'refresh_family (client_id, created_at)',
  // Ends that people are still to be told of.
  refresh_family_untold: 'refresh_family (ended_at) WHERE ended_at IS NOT NULL AND told_at IS NULL',
  // Families of the apps' own policies, whose app may have moved to a published one.
  refresh_family_unpublished: 'refresh_family (client_id) WHERE policy_id IS NULL AND ended_at IS NULL',
};

/**
 * Builds missing indexes. Many processes may call it at once. While one of them builds, the others skip it.
 */
export async function ensureIndexes(url: string, lockTimeoutMs: number): Promise<void> {
  await withClient(url, async (client) => {
    // Only tries the lock: a session that waits for it would keep the build from finishing.
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
  // An index whose build was interrupted exists, but is invalid.
  await client.query(`DROP INDEX IF EXISTS ${name}`);
  await client.query(`CREATE INDEX CONCURRENTLY ${name} ON ${definition}`);
}
