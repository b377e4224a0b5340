/** Which room names which table in SQL: one room owns each table, and others read only the shared ones. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';

const source = join(projectDirectory, 'src');
const migrations = join(source, 'postgres', 'migrations');
/** Read by joins, because a report or a sweep would otherwise ask once for each identity (docs/architecture.md). */
const madeToBeRead = ['standing', 'tombstone', 'identity_activity', 'policy'];

const tables = readdirSync(migrations)
  .map((name) => readFileSync(join(migrations, name), 'utf8'))
  .flatMap((sql) =>
    [...sql.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)/g)].map(([, name = '']) => name),
  );

interface Use {
  readonly table: string;
  readonly room: string;
  readonly writes: boolean;
}

/** @param text of one file */
function usesIn(text: string): { table: string; writes: boolean }[] {
  return tables.flatMap((table) => {
    const writes = new RegExp(`(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\\s+(ONLY\\s+)?${table}\\b`).test(
      text,
    );
    const removes = new RegExp(`removeOld\\(pool, '${table}'`).test(text);
    const reads = new RegExp(`\\b(FROM|JOIN|USING|TABLE)\\s+(ONLY\\s+)?${table}\\b`).test(text);
    return writes || removes || reads ? [{ table, writes: writes || removes }] : [];
  });
}

const uses: Use[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) =>
    usesIn(readFileSync(join(source, path), 'utf8')).map((use) => ({
      ...use,
      room: path.split(/[/\\]/)[0] ?? '',
    })),
  );

const roomsOf = (some: readonly Use[]) => [...new Set(some.map(({ room }) => room))].sort();

it.each(tables)('%s is named in SQL', (table) => {
  expect(uses.some((use) => use.table === table)).toBe(true);
});

it.each(tables)('%s is written by one room', (table) => {
  expect(roomsOf(uses.filter((use) => use.table === table && use.writes)).length).toBeLessThanOrEqual(1);
});

it.each(tables.filter((table) => !madeToBeRead.includes(table)))('%s is read by one room', (table) => {
  expect(roomsOf(uses.filter((use) => use.table === table))).toHaveLength(1);
});

it('tells a write from a read', () => {
  expect(usesIn("query('DELETE FROM link WHERE true')")).toEqual([{ table: 'link', writes: true }]);
  expect(usesIn('SELECT 1 FROM mail JOIN standing USING (identity_id)')).toEqual(
    expect.arrayContaining([
      { table: 'mail', writes: false },
      { table: 'standing', writes: false },
    ]),
  );
  expect(usesIn("removeOld(pool, 'activity_feed', 'hour < $1', before)")).toEqual([
    { table: 'activity_feed', writes: true },
  ]);
});
