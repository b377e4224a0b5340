/** Searches for what must be gone: every table of a database, every event of a history, and logs. */
import type pg from 'pg';
import type { LifecycleHandle } from '../../support/harness/open.js';
import { decodedPayloads, toPlain } from '../../support/histories.js';

/** @returns where a secret was found; never the secret itself */
export function leftoversIn(place: string, text: string, secrets: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return secrets.filter((secret) => lower.includes(secret.toLowerCase())).map(() => place);
}

/** Reads every table as text. @param except tables that are somebody else's to clean up */
export async function searchTables(
  pool: pg.Pool,
  secrets: readonly string[],
  except = /^$/,
): Promise<string[]> {
  const tables = await pool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  );
  const places: string[] = [];
  for (const { name } of tables.rows.filter((table) => !except.test(table.name))) {
    const rows = await pool.query<{ text: string }>(`SELECT t::text AS text FROM "${name}" AS t`);
    const text = rows.rows.map((row) => row.text).join('\n');
    places.push(...leftoversIn(`table ${name}`, text, secrets));
  }
  return places;
}

/** Decodes every payload of every event, and looks at everything else of the events as it is. */
export async function searchHistories(
  handles: readonly LifecycleHandle[],
  secrets: readonly string[],
): Promise<string[]> {
  const places: string[] = [];
  for (const handle of handles) {
    const plain = toPlain(await handle.fetchHistory());
    const text = [...decodedPayloads(plain), JSON.stringify(plain)].join('\n');
    places.push(...leftoversIn(`the history of ${handle.workflowId}`, text, secrets));
  }
  return places;
}
