/** Tokens in an app's own table, on real PostgreSQL and Kratos: judged by the policy, previewed, held, revoked, verified and audited. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { createBatchBreaker } from '../../src/breaker/batches.js';
import { proposeRelease } from '../../src/breaker/decisions.js';
import { activeTrips } from '../../src/breaker/trips-table.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import { createOryClients } from '../../src/ory/clients.js';
import { systemClock } from '../../src/process/clock.js';
import { type JudgedSource, judgeSource } from '../../src/tokens/sourced/judge.js';
import { withSource } from '../../src/tokens/sourced/open.js';
import { parseTokenSourceFile, type TokenSource } from '../../src/tokens/sourced/source-file.js';
import { endSourcedTokens, type SweptSource } from '../../src/tokens/sourced/sweep.js';
import { type Harness, openHarness } from '../support/harness/open.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { publish } from '../support/publish.js';
import { spoil } from '../support/spoiled.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';

const day = 86_400_000;
const { identities } = createOryClients({
  kratosAdminUrl: inject('stack').kratos.adminUrl,
  hydraAdminUrl: inject('stack').hydra.adminUrl,
});
let live: Harness;
let database: FreshDatabase;
let pool: pg.Pool;
let person: string;
let service: string;
beforeAll(async () => {
  live = await openHarness();
  database = await openFreshDatabase();
  pool = database.pool;
  person = (await live.people.create('src')).id;
  service = (await live.people.create('src', { metadataAdmin: { account_type: 'service' } })).id;
  await publish(
    pool,
    `id: sourced
ladder: { warn: { after: 30d } }
recheck: 1d
retry: { attempts: 3, firstAfter: 1m, longestAfter: 1h }
breaker: { percentFrom: 1000, stall: off, limits: { endPersonal: { atMost: 5 } } }
tokens: { personal: { inactive: 365d, types: { ci: { inactive: never }, short: { longestLifetime: 90d } } } }
`,
  );
});
afterAll(async () => {
  await database.close();
  await live.end();
});
beforeEach(() =>
  pool.query(`
    DROP TABLE IF EXISTS pat CASCADE;
    CREATE TABLE pat (id bigint GENERATED ALWAYS AS IDENTITY, user_id text, created_at timestamptz, last_used_at timestamptz,
      expires_at timestamptz, revoked_at timestamptz);
    TRUNCATE sourced_token, breaker_grant, breaker_trip, breaker_release, breaker_release_vote, breaker_pass`),
);

const seedSelect = `SELECT id, user_id AS identity_id, created_at, last_used_at FROM pat
  WHERE revoked_at IS NULL AND last_used_at < $1 OR (last_used_at IS NULL AND created_at < $1)`;
const usualSelect = `SELECT id, user_id AS identity_id, created_at, last_used_at, expires_at FROM pat
  WHERE revoked_at IS NULL AND coalesce(last_used_at, created_at) < $1`;
const usualRevoke = 'UPDATE pat SET revoked_at = now() WHERE id = ANY($1) AND revoked_at IS NULL';

function sourceOf(
  more: { select?: string; revoke?: string; type?: string; timeout?: string } = {},
): TokenSource {
  const { select = usualSelect, revoke = usualRevoke, type = 'personal', timeout = '20s' } = more;
  const text = JSON.stringify({
    sources: [
      {
        ...{ name: 'shop', connectionUrlVariable: 'SHOP_URL', type, policy: 'sourced' },
        ...{ select, revoke, statementTimeout: timeout },
      },
    ],
  });
  const [source] = parseTokenSourceFile(text, 'sources.yaml');
  if (source === undefined) throw new Error('no source');
  return source;
}

/** A SELECT whose condition says nothing of uses. */
const everyLive = () =>
  sourceOf({ select: usualSelect.replace('coalesce(last_used_at, created_at) < $1', '$1 IS NOT NULL') });

const open = (now = Date.now()) => ({ identities, pool, policyId: 'sourced', now });
const connected = (source: TokenSource) => ({ source, connectionUrl: database.url });
const pass = () => createBatchBreaker({ pool, clock: systemClock });

const sweep = (source = sourceOf(), asked = pass()): Promise<SweptSource> =>
  withSource(connected(source), open(), (deps) => endSourcedTokens({ ...deps, pass: asked }));
const judge = (source = sourceOf()): Promise<JudgedSource> =>
  withSource(connected(source), open(), judgeSource);

async function make(
  owner: string | null,
  createdDays: number | string,
  usedDays?: number | string,
  revoked = false,
): Promise<string> {
  const time = (value: number | string | undefined) =>
    typeof value === 'number' ? new Date(Date.now() - value * day) : (value ?? null);
  const { rows } = await pool.query<{ id: string }>(
    'INSERT INTO pat (user_id, created_at, last_used_at, revoked_at) VALUES ($1, $2, $3, $4) RETURNING id',
    [owner, time(createdDays), time(usedDays), revoked ? new Date() : null],
  );
  return rows[0]?.id ?? '';
}

const liveIds = async () =>
  (await pool.query<{ id: string }>('SELECT id FROM pat WHERE revoked_at IS NULL ORDER BY id')).rows.map(
    ({ id }) => id,
  );
const endsOf = async (identityId: string) =>
  (await readAudit(pool, identityId)).filter(({ eventType }) => eventType === 'tokens_revoked_stale');

test('tokens over their limit are revoked, verified and audited with source and type; used, exempt and others’ stay', async () => {
  const before = (await endsOf(person)).length;
  const stale = await make(person, 400, 366);
  const neverUsed = await make(person, 366);
  const kept = [
    await make(person, 400, 1),
    await make(person, 364),
    await make(service, 400),
    await make(randomUUID(), 400),
  ];
  const preview = await judge();
  expect(preview.due.map(({ token, why, rule }) => [token.id, why, rule])).toEqual([
    [stale, 'inactive', 'inactive'],
    [neverUsed, 'inactive', 'inactive'],
  ]);
  expect(preview).toMatchObject({ spared: 2, live: 0, unusable: {} });
  expect(await liveIds()).toHaveLength(6);
  expect(await sweep()).toMatchObject({ inactive: 2, expired: 0, spared: 2, held: 0, reappeared: 0 });
  expect(await liveIds()).toEqual(kept);
  const ends = (await endsOf(person)).slice(before);
  expect(ends).toMatchObject([
    {
      ...{ actor: 'engine', policyId: 'sourced', policyVersion: 1, outcome: 'ended' },
      detail: { source: 'shop', type: 'personal', tokenType: 'personal', tokenId: stale, unusedDays: 366 },
    },
    { detail: { tokenId: neverUsed, isNeverUsed: true } },
  ]);
  expect(await sweep()).toMatchObject({ inactive: 0 });
});

test('the seed’s condition without parentheses ends no token that the rules keep', async () => {
  await make(person, 500, undefined, true);
  const wide = sourceOf({ select: `${seedSelect} OR id > 0` });
  const inUse = await make(person, 400, 1);
  const judged = await judge(wide);
  expect(judged.live).toBe(1);
  // A row that is revoked already stays among the rows of such a SELECT: that is noticed, and taken back.
  await expect(sweep(wide)).rejects.toThrow(/still among the rows of "select" after "revoke"/);
  expect(await liveIds()).toEqual([inUse]);
});

test('rows that say nothing certain are left alone: infinite and missing times, no owner, an id that is there twice', async () => {
  await make(person, '-infinity');
  await make(person, 400, 'infinity');
  await make(person, 400, '-infinity');
  await pool.query('INSERT INTO pat (user_id) VALUES ($1)', [person]);
  await make(null, 400);
  await make('someone@example.com', 400);
  await make(person, '4000-01-01Z', undefined);
  const all = everyLive();
  expect((await judge(all)).unusable).toEqual({ 'strange-time': 4, 'no-creation': 1, 'no-identity': 2 });
  await make(person, 400);
  const twice = sourceOf({ select: `${usualSelect} UNION ALL ${usualSelect}` });
  expect((await judge(twice)).unusable).toMatchObject({ 'id-twice': expect.any(Number) });
  expect((await judge(twice)).due).toEqual([]);
  expect(await liveIds()).toHaveLength(8);
});

test('an owner whom Kratos answers in a form that can not be read keeps the token, and holds up nobody', async () => {
  const spoiled = (await live.people.create('src')).id;
  const kratos = openKratosDatabase(inject('stack'));
  await spoil(kratos, spoiled);
  await kratos.end();
  const kept = [await make(spoiled, 400), await make(spoiled, 401)];
  await make(person, 400);
  expect(await judge()).toMatchObject({ spared: 0, unusable: { 'owner-unreadable': 2 } });
  expect(await sweep()).toMatchObject({ inactive: 1, unusable: 2, held: 0 });
  expect(await liveIds()).toEqual(kept);
});

test('a use in the future counts as now, and an expiry of infinity as none', async () => {
  await make(person, 400, -10);
  await pool.query(`UPDATE pat SET expires_at = 'infinity'`);
  const all = everyLive();
  expect(await judge(all)).toMatchObject({ due: [], live: 1, unusable: {} });
});

test('a type that never ends for inactivity is not even read, and a ceiling of a type expires', async () => {
  await make(person, 400, 91);
  expect(await judge(sourceOf({ type: 'ci' }))).toMatchObject({ due: [], live: 0 });
  const short = sourceOf({ type: 'short' });
  expect((await judge(short)).due).toMatchObject([{ why: 'expired', rule: 'types:short' }]);
  expect(await sweep(short)).toMatchObject({ expired: 1 });
});

test('more than the breaker allows all stay until a release, and a token that was used meanwhile stays', async () => {
  for (let i = 0; i < 6; i += 1) await make(person, 400);
  expect(await sweep()).toMatchObject({ inactive: 0, held: 6 });
  expect(await liveIds()).toHaveLength(6);
  const [trip] = await activeTrips(pool, ['endPersonal']);
  await proposeRelease(pool, { tripId: trip?.id ?? 0, actor: 'op-1', reason: 'a test', at: Date.now() });
  const [used] = await liveIds();
  await pool.query('UPDATE pat SET last_used_at = now() WHERE id = $1', [used]);
  expect(await sweep()).toMatchObject({ inactive: 5, held: 0 });
  expect(await liveIds()).toEqual([used]);
});

test('a use between the look and the revocation keeps the token, whatever the statements say', async () => {
  const id = await make(person, 400);
  await make(person, 400);
  const asked = pass();
  const swept = await sweep(everyLive(), async (request) => {
    await pool.query('UPDATE pat SET last_used_at = now() WHERE id = $1', [id]);
    return asked(request);
  });
  expect(swept).toMatchObject({ inactive: 1 });
  expect(await liveIds()).toEqual([id]);
});

test('a use within the revocation’s own transaction is seen: the update is refused by its snapshot, and done anew', async () => {
  const id = await make(person, 400);
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('UPDATE pat SET last_used_at = now() WHERE id = $1', [id]);
    const running = sweep();
    // The revocation waits for the row that is in use.
    await until('the revocation waits for the row', async () => {
      const { rows } = await pool.query<{ waiting: boolean }>(
        `SELECT count(*) > 0 AS waiting FROM pg_stat_activity
         WHERE application_name = 'dormouse token source shop' AND wait_event_type = 'Lock'`,
      );
      return rows[0]?.waiting === true;
    });
    await client.query('COMMIT');
    expect(await running).toMatchObject({ inactive: 0 });
  } finally {
    client.release();
  }
  expect(await liveIds()).toEqual([id]);
  const { rows } = await pool.query('SELECT 1 FROM sourced_token');
  expect(rows).toEqual([]);
});

test.each([
  [
    'more than the ids',
    'UPDATE pat SET revoked_at = now() WHERE id = ANY($1) OR revoked_at IS NULL',
    /changed 2 rows for 1 ids/,
  ],
  [
    'nothing',
    'UPDATE pat SET revoked_at = NULL WHERE id = ANY($1)',
    /1 of 1 tokens were still among the rows/,
  ],
])('a statement that revokes %s is taken back, and says so', async (_what, revoke, message) => {
  const [stale, inUse] = [await make(person, 400), await make(person, 400, 1)];
  const before = (await endsOf(person)).length;
  await expect(sweep(sourceOf({ revoke }))).rejects.toThrow(message);
  expect(await liveIds()).toEqual([stale, inUse]);
  expect((await endsOf(person)).length).toBe(before);
});

test('a token that is there again after its end is told, and no longer tried after three ends', async () => {
  const before = (await endsOf(person)).length;
  await make(person, 400);
  // An app that undoes the revocation right after it.
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM pat');
  const outcomes: SweptSource[] = [];
  for (let i = 0; i < 4; i += 1) {
    outcomes.push(await sweep());
    await pool.query('UPDATE pat SET revoked_at = NULL WHERE id = $1', [rows[0]?.id]);
  }
  expect(outcomes.map(({ inactive, stuck }) => [inactive, stuck])).toEqual([
    ...[
      [1, 0],
      [1, 0],
      [1, 0],
    ],
    [0, 1],
  ]);
  // The same end is one line of the log.
  expect((await endsOf(person)).length).toBe(before + 1);
  await pool.query("UPDATE pat SET last_used_at = now() - interval '370 days'");
  expect(await sweep()).toMatchObject({ inactive: 1, stuck: 0 });
});

test('an end that a killed sweep began is audited by the next one as assumed, and dropped where the token was used', async () => {
  const [ended, used] = [await make(person, 400), await make(person, 400)];
  const broken = (deps: Parameters<typeof endSourcedTokens>[0]) => ({
    ...deps,
    table: {
      look: deps.table.look.bind(deps.table),
      revoke: async () => {
        await pool.query('UPDATE pat SET revoked_at = now() WHERE id = $1', [ended]);
        throw new Error('killed');
      },
    },
  });
  const before = (await endsOf(person)).length;
  await expect(
    withSource(connected(sourceOf()), open(), (deps) => endSourcedTokens(broken({ ...deps, pass: pass() }))),
  ).rejects.toThrow('killed');
  await pool.query('UPDATE pat SET last_used_at = now() WHERE id = $1', [used]);
  expect(await sweep()).toMatchObject({ inactive: 0 });
  expect((await endsOf(person)).slice(before)).toMatchObject([
    { outcome: 'assumed', detail: { tokenId: ended } },
  ]);
  expect((await pool.query('SELECT 1 FROM sourced_token WHERE settled_at IS NULL')).rows).toEqual([]);
});

describe('a source that is wrong changes nothing and says what to do', () => {
  test.each([
    [
      'a column that is missing',
      { select: 'SELECT id, user_id, created_at FROM pat WHERE created_at < $1' },
      /no column identity_id, last_used_at/,
    ],
    [
      'a time without zone',
      { select: usualSelect.replace('created_at, last', 'created_at::timestamp AS created_at, last') },
      /created_at is no timestamp with time zone.*AT TIME ZONE 'UTC'/,
    ],
    [
      'a table that is not there',
      { select: usualSelect.replace('FROM pat', 'FROM nothing') },
      /answered 42P01/,
    ],
    [
      'a statement that takes too long',
      { select: usualSelect.replace('WHERE', 'WHERE pg_sleep(3) IS NOT NULL AND'), timeout: '1s' },
      /answered 57014.*took too long/,
    ],
  ])('%s', async (_what, more, message) => {
    await make(person, 400);
    await expect(sweep(sourceOf(more))).rejects.toThrow(message);
    expect(await liveIds()).toHaveLength(1);
  });

  test('a SELECT that writes by a function is refused by the read-only transaction', async () => {
    await pool.query(
      'CREATE OR REPLACE FUNCTION burn() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM pat; RETURN true; END $$',
    );
    await make(person, 400);
    await expect(
      sweep(sourceOf({ select: usualSelect.replace('WHERE', 'WHERE burn() AND') })),
    ).rejects.toThrow(/answered 25006/);
    expect(await liveIds()).toHaveLength(1);
  });

  test('a clock of the app’s database that is an hour off', async () => {
    await make(person, 400);
    const late = withSource(connected(sourceOf()), open(Date.now() + 3_600_000), judgeSource);
    await expect(late).rejects.toThrow(/differs from ours by 3[56]\d\d s/);
  });
});

test('what is known of a token’s end is forgotten with its owner', async () => {
  const gone = (await live.people.create('src')).id;
  await make(gone, 400);
  expect(await sweep()).toMatchObject({ inactive: 1 });
  await buryIdentity(pool, gone, undefined, Date.now());
  expect((await pool.query('SELECT 1 FROM sourced_token')).rows).toEqual([]);
});
