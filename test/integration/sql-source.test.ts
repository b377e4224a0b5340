import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../../src/postgres/pool.js';
import { readFeed } from '../../src/signs/feed-table.js';
import type { IdentitySign } from '../../src/signs/identity-sign.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { AuditTable, pageStatement } from '../../src/sources/audit-table.js';
import { type PollOptions, pollSource } from '../../src/sources/poll.js';
import { parseSourceFile, type SignSource } from '../../src/sources/source-file.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

/** The app's database and Dormouse's are one here; nothing in the code knows. */
let database: FreshDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
});
afterAll(() => database.close());

const now = Date.now();
const ago = (seconds: number): Date => new Date(now - seconds * 1_000);

let source: SignSource;
let table: AuditTable;
let told: IdentitySign[];

async function open(more = ''): Promise<void> {
  const name = `s-${randomUUID().slice(0, 8)}`;
  const place = more.includes('query:') ? '' : `table: public.odd "name"`;
  const [parsed] = parseSourceFile(
    `sources:
  - name: ${name}
    connectionUrlVariable: APP_URL
    eventTypes: [login, whoami]
    kind: human
    ${place}
    ${more}`,
    'sources.yaml',
  );
  if (parsed === undefined) throw new Error('no source');
  source = parsed;
  table = new AuditTable(source, database.url);
  await table.connect();
}

beforeEach(async () => {
  told = [];
  await pool.query(`
    DROP TABLE IF EXISTS "odd ""name""";
    CREATE TABLE "odd ""name""" (identity_id text, created_at timestamptz, event_type text);
    CREATE INDEX ON "odd ""name""" (created_at);
    TRUNCATE identity_activity, activity_signal, activity_source, activity_feed, activity_mark, standing`);
  await open();
});
afterEach(() => table.close());

type Row = readonly [identityId: string | null, at: Date | string, eventType?: string];

async function insert(...rows: Row[]): Promise<void> {
  for (const [identityId, at, eventType] of rows) {
    await pool.query('INSERT INTO "odd ""name""" VALUES ($1, $2, $3)', [
      identityId,
      at,
      eventType ?? 'login',
    ]);
  }
}

function poll(more: Partial<PollOptions> = {}) {
  const tell = async (signs: readonly IdentitySign[]): Promise<void> => {
    told.push(...signs);
  };
  return pollSource({ source, table, pool, now, tell, ...more });
}

const lastSeen = async (identityId: string) => (await readSigns(pool, identityId)).human;
const recorded = async (): Promise<number> => {
  const found = await pool.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM identity_activity',
  );
  return found.rows[0]?.count ?? 0;
};

describe('what is read', () => {
  test('the latest event of each identity; its workflow hears of it', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await insert([a, ago(500)], [a, ago(300), 'whoami'], [b, ago(400)], [a, ago(450)]);
    expect(await poll()).toMatchObject({ rows: 4, unusable: 0 });
    expect(await lastSeen(a)).toBe(ago(300).getTime());
    expect(await lastSeen(b)).toBe(ago(400).getTime());
    expect(told.map(({ identityId }) => identityId).sort()).toEqual([a, b].sort());
    expect(told[0]).toMatchObject({ kind: 'human', source: `sql:${source.name}` });
    // For the breaker.
    const feed = await readFeed(pool, 0, now + 3_600_000);
    expect(feed.map(({ signs }) => signs)).toEqual([2]);
    expect((await pool.query('SELECT newest_at FROM activity_mark ORDER BY 1')).rows).toEqual(
      [ago(400), ago(300)].map((at) => ({ newest_at: at })),
    );
  });

  test('only listed event types, and only UUIDs: other values of the column stay in the app’s database', async () => {
    const a = randomUUID();
    await insert([a, ago(9), 'login_failed'], [a, ago(8), 'LOGIN'], [a, ago(7), 'mail_sent']);
    await insert(['someone@example.com', ago(6)], [null, ago(5)], [a.toUpperCase(), ago(50)]);
    expect(await poll()).toMatchObject({ rows: 3, unusable: 2 });
    expect(await recorded()).toBe(1);
    expect(await lastSeen(a)).toBe(ago(50).getTime());
    expect(JSON.stringify((await pool.query('SELECT * FROM activity_source')).rows)).not.toContain(
      'example.com',
    );
  });

  test('a query instead of a table, with columns of other names and a time without zone', async () => {
    await table.close();
    await open(`query: |
      SELECT identity_id AS "who", created_at AT TIME ZONE 'UTC' AS "when", event_type AS what -- a comment
      FROM "odd ""name""" WHERE identity_id IS NOT NULL
    columns: { identityId: who, createdAt: when, eventType: what }`);
    const a = randomUUID();
    await insert([a, ago(100)]);
    await poll();
    expect(await lastSeen(a)).toBe(ago(100).getTime());
  });

  test('columns of type uuid and enum', async () => {
    await pool.query(`DROP TYPE IF EXISTS event_kind CASCADE; CREATE TYPE event_kind AS ENUM ('login', 'other');
      ALTER TABLE "odd ""name""" ALTER identity_id TYPE uuid USING identity_id::uuid,
        ALTER event_type TYPE event_kind USING event_type::event_kind`);
    const a = randomUUID();
    await insert([a, ago(100)], [a, ago(50), 'other']);
    await poll();
    expect(await lastSeen(a)).toBe(ago(100).getTime());
  });

  test('nothing is written to the app’s database', async () => {
    await table.close();
    await pool.query('CREATE SEQUENCE IF NOT EXISTS counter');
    await open(`query: SELECT nextval('counter'), * FROM "odd ""name"""`);
    await insert([randomUUID(), ago(10)]);
    await expect(poll()).rejects.toMatchObject({ code: '25006' });
  });

  test('a statement that takes too long is ended', async () => {
    await table.close();
    await open(`query: SELECT a.* FROM "odd ""name""" AS a, LATERAL (SELECT pg_sleep(60) WHERE a.identity_id IS NOT NULL) AS b
    statementTimeout: 1s`);
    await insert([randomUUID(), ago(10)]);
    await expect(poll()).rejects.toMatchObject({ code: '57014' });
  });
});

describe('the position of a poll', () => {
  test('a poll reads the rows since the last one, and the overlap', async () => {
    await insert(...[300, 200, 100].map((seconds): Row => [randomUUID(), ago(seconds)]));
    expect(await poll()).toMatchObject({ rows: 3 });
    const c = randomUUID();
    await insert([c, ago(20)]);
    expect(await poll()).toMatchObject({ rows: 2 });
    expect(await lastSeen(c)).toBe(ago(20).getTime());
  });

  test('a row that is committed late, with an earlier time, is not missed', async () => {
    await insert([randomUUID(), ago(10)]);
    const late = await pool.connect();
    const a = randomUUID();
    try {
      await late.query('BEGIN');
      await late.query('INSERT INTO "odd ""name""" VALUES ($1, $2, $3)', [a, ago(40), 'login']);
      await poll();
      expect(await lastSeen(a)).toBeUndefined();
      await late.query('COMMIT');
    } finally {
      late.release();
    }
    await poll();
    expect(await lastSeen(a)).toBe(ago(40).getTime());
  });

  test('the saved position never passes the beginning of the poll', async () => {
    await insert([randomUUID(), new Date(now + 3_600_000)]);
    await poll();
    const saved = await pool.query<{ cursor_at: Date }>('SELECT cursor_at FROM activity_source');
    expect(saved.rows[0]?.cursor_at.getTime()).toBe(now);
  });

  test('rows of one and the same time are all read, whatever the size of a page', async () => {
    const ids = Array.from({ length: 25 }, () => randomUUID());
    await insert(...ids.map((id): Row => [id, ago(100)]), ['x', ago(100)], [null, ago(100)]);
    expect(await poll({ pageRows: 4 })).toMatchObject({ pages: 7 });
    expect(await recorded()).toBe(25);
  });

  test('microseconds are not lost between pages', async () => {
    const second = new Date(now - 100_000).toISOString().slice(0, 19);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    await insert(...ids.map((id, index): Row => [id, `${second}.0000${String(10 + index)}Z`]));
    await poll({ pageRows: 3 });
    expect(await recorded()).toBe(20);
  });

  test('the future counts as now, and a mistyped year does not hide what comes before it', async () => {
    const [ahead, mistyped, usual] = [randomUUID(), randomUUID(), randomUUID()];
    await insert([ahead, new Date(now + 3_600_000)], [mistyped, '2999-01-01'], [randomUUID(), 'infinity']);
    await poll();
    expect(await lastSeen(ahead)).toBe(now);
    expect(await lastSeen(mistyped)).toBeUndefined();
    await insert([usual, ago(1)]);
    await poll();
    expect(await lastSeen(usual)).toBe(ago(1).getTime());
  });

  test('a changed list of event types reads the past once more', async () => {
    const a = randomUUID();
    await insert([a, ago(10_000), 'oauth_token'], [randomUUID(), ago(10)]);
    await poll();
    expect(await lastSeen(a)).toBeUndefined();
    source = { ...source, eventTypes: [...source.eventTypes, 'oauth_token'] };
    await table.close();
    table = new AuditTable(source, database.url);
    await table.connect();
    await poll();
    expect(await lastSeen(a)).toBe(ago(10_000).getTime());
  });

  test('a part of a poll continues where the part before ended', async () => {
    await insert(...[5, 4, 3, 2, 1].map((seconds): Row => [randomUUID(), ago(seconds)]));
    const first = await poll({ pageRows: 2, maxPages: 1 });
    expect(first).toMatchObject({ rows: 2 });
    expect(await poll({ pageRows: 2, from: first.next })).toMatchObject({ rows: 3 });
    expect(await recorded()).toBe(5);
  });
});

describe('when it is killed', () => {
  const death = new Error('killed');
  const die = () => Promise.reject(death);

  test('before anything is recorded: the next attempt tells and records', async () => {
    const a = randomUUID();
    await insert([a, ago(100)]);
    await expect(poll({ tell: die })).rejects.toBe(death);
    await poll();
    expect(told).toHaveLength(1);
    expect(await lastSeen(a)).toBe(ago(100).getTime());
  });

  test('between page and position: the page is read again, and nothing is lost', async () => {
    const ids = Array.from({ length: 6 }, () => randomUUID());
    await insert(...ids.map((id, index): Row => [id, ago(600 - index * 100)]));
    const broken = createPool({ url: database.url });
    let saved = 0;
    const query = broken.query.bind(broken);
    broken.query = ((text: string, values: unknown[]) => {
      if (!text.startsWith('UPDATE activity_source')) return query(text, values);
      saved += 1;
      return saved === 2 ? die() : query(text, values);
    }) as typeof broken.query;
    await expect(poll({ pool: broken, pageRows: 2 })).rejects.toBe(death);
    await broken.end();
    expect(await recorded()).toBe(4);
    await poll({ pageRows: 2 });
    expect(await recorded()).toBe(6);
    expect(new Set(told.map(({ identityId }) => identityId))).toEqual(new Set(ids));
  });

  test('two polls at once, and a late one, do not move the position back', async () => {
    await insert(...[5, 4, 3].map((seconds): Row => [randomUUID(), ago(seconds)]));
    await Promise.all([poll({ pageRows: 1 }), poll()]);
    await poll({ now: now - 3_600_000, maxPages: 1 });
    const saved = await pool.query<{ cursor_at: Date }>('SELECT cursor_at FROM activity_source');
    expect(saved.rows[0]?.cursor_at.getTime()).toBe(ago(3).getTime());
  });
});

test('fifty thousand rows go through in pages of bounded size', async () => {
  await pool.query(
    `INSERT INTO "odd ""name""" SELECT ('00000000-0000-4000-8000-' || lpad((n % 1000 + 1)::text, 12, '0')),
       $1::timestamptz - n * interval '1 second', 'login' FROM generate_series(1, 50000) AS n`,
    [new Date(now)],
  );
  let largest = 0;
  const spied: PollOptions['table'] = {
    async readPage(...page) {
      const read = await table.readPage(...page);
      largest = Math.max(largest, read.rows);
      return read;
    },
  };
  expect(await poll({ table: spied })).toMatchObject({ rows: 50_000, pages: 11 });
  expect(largest).toBe(5_000);
  expect(await recorded()).toBe(1_000);
});

describe('the plan of a page of a table with a hundred thousand rows', () => {
  /** Nodes of the plan that PostgreSQL chooses for the very statement that a poll sends. */
  async function planAfter(at: string): Promise<string> {
    await pool.query(
      `INSERT INTO "odd ""name""" SELECT gen_random_uuid()::text, $1::timestamptz - n * interval '1 minute', 'login'
       FROM generate_series(1, 100000) AS n`,
      [new Date(now)],
    );
    await pool.query('ANALYZE "odd ""name"""');
    const plan = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${pageStatement(source)}`, [
      source.eventTypes,
      at,
      '',
      new Date(now),
      5_000,
    ]);
    return plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  test.each([
    ['the minutes since the last poll', 5],
    ['all of two months', 100_000],
  ])('%s: by the index on the time, and never the whole table', async (_name, minutes) => {
    const plan = await planAfter(ago(minutes * 60).toISOString());
    expect(plan).toMatch(/Index Scan using \S.*_created_at_idx" on/);
    expect(plan).toMatch(/Index Cond: \(\(created_at >= /);
    expect(plan).not.toMatch(/Seq Scan/);
  });

  test('a long backlog is not sorted as a whole for its first page', async () => {
    const plan = await planAfter(ago(100_000 * 60).toISOString());
    expect(plan).toMatch(/Limit[\s\S]*Incremental Sort[\s\S]*Presorted Key: audit\.created_at/);
  });
});
