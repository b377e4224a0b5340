// biome-ignore-all lint/suspicious/noConsole: an example shows what it does
/**
 * An app's audit table as the source: `npx tsx docs/activity/examples/sql-source.ts`. Polls once, in this process; with
 * DORMOUSE_ACTIVITY_SOURCES_FILE the worker does so by a schedule.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createPool } from '../../../src/postgres/pool.js';
import { AuditTable } from '../../../src/sources/audit-table.js';
import { pollSource } from '../../../src/sources/poll.js';
import { parseSourceFile } from '../../../src/sources/source-file.js';
import { newPerson, runExample, say, showActivity } from './on-the-stack.js';

await runExample(async (example) => {
  const { dormouse, stack } = example;
  const file = fileURLToPath(new URL('./sources.yaml', import.meta.url));
  const [source] = parseSourceFile(await readFile(file, 'utf8'), file);
  if (source === undefined) throw new Error('the file names no source');
  const person = await newPerson(example);
  const pool = createPool({ url: stack.postgres.url });
  // An app's table would be in the app's own database.
  await pool.query(
    'CREATE TABLE IF NOT EXISTS example_audit (identity_id uuid, created_at timestamptz, event_type text)',
  );
  const since = Date.now();
  for (const eventType of ['login', 'login_failed']) {
    await pool.query('INSERT INTO example_audit VALUES ($1, now(), $2)', [person.id, eventType]);
  }

  const table = new AuditTable(source, stack.postgres.url);
  await table.connect();
  const polled = await pollSource({
    source,
    table,
    pool,
    now: Date.now(),
    tell: async (signs) => {
      for (const { identityId, at, kind } of signs) await dormouse.recordActivity(identityId, { at, kind });
    },
  });
  say(`rows read: ${polled.rows} (failed sign-ins are none of them)`);
  await showActivity(example, person.id, since);
  await table.close();
  await pool.end();
});
