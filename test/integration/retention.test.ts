/** Rows that are removed after their time, and rows that never are. In a database of its own. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { forgetOld } from '../../src/worker/retention.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

let database: FreshDatabase;
const now = Date.UTC(2030, 0, 1);
const at = (daysAgo: number) => new Date(now - daysAgo * dayMs);
const retention = { mailsMs: 1_095 * dayMs, operationsMs: 400 * dayMs, requestLogMs: 30 * dayMs };
const [returned, away, buried, buriedLately] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];

beforeAll(async () => {
  database = await openFreshDatabase();
  const { pool } = database;
  for (const [id, seen] of [
    [returned, at(10)],
    [away, at(2_000)],
  ] as const) {
    await pool.query(
      `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at)
       VALUES ($1, 'active', $2, $2, '{}', 1, $2)`,
      [id, seen],
    );
  }
  const mail = (key: string, id: string, settled: Date, bounce: string | null = null) =>
    pool.query(
      `INSERT INTO mail (message_key, request_key, identity_id, kind, message_id, state, attempts, first_tried_at,
         settled_at, bounce_class) VALUES ($1, $1, $2, 'warn', $1, 'accepted', 1, $3, $3, $4)`,
      [key, id, settled, bounce],
    );
  await mail('old, and the person is back', returned, at(1_096));
  await mail('old, came back, and the person is back', returned, at(1_096), 'hard');
  await mail('younger', returned, at(1_094));
  await mail('old, and the notice of an absence that lasts', away, at(1_900));
  for (const [id, deletedAt] of [
    [buried, at(1_096)],
    [buriedLately, at(1_094)],
  ] as const)
    await pool.query('INSERT INTO tombstone (identity_id, deleted_at) VALUES ($1, $2)', [id, deletedAt]);
  await mail('of somebody who was buried long ago', buried, at(1_097), 'hard');
  await mail('of somebody who was buried later', buriedLately, at(1_097));
  for (const days of [401, 399]) {
    await pool.query(
      `INSERT INTO reconciliation (run_id, workflow_id, started_at, ended_at, counts) VALUES ($1, 'w', $2, $2, '{}')`,
      [`${days}`, at(days)],
    );
    await pool.query('INSERT INTO activity_feed (hour, signs) VALUES ($1, 1)', [at(days)]);
    for (const state of ['parked', 'pending']) {
      await pool.query(
        `INSERT INTO signal_outbox (jti, receiver, signal, identity_id, audit_seq, occurred_at, state, settled_at)
         VALUES ($1, 'r', 's', $2, 1, $3, $4, $3)`,
        [`${state} ${days}`, away, at(days), state],
      );
    }
    await pool.query(
      `INSERT INTO postponement (identity_id, rung, inactive_since, round, until_at, confirmed_at)
       VALUES ($1, 'delete', $2, 0, $2, $2)`,
      [away, at(days)],
    );
    for (const cause of ['limit', 'clock']) {
      await pool.query(
        `INSERT INTO breaker_trip (scope, cause, why, tripped_at, operators, released_at)
         VALUES ('all', $1, $2, $3, 1, $4)`,
        [cause, `${cause} ${days}`, at(days), cause === 'clock' && days === 401 ? null : at(days)],
      );
    }
  }
  for (const days of [401, 399]) {
    await pool.query(
      `INSERT INTO policy_preview (hash, policy_id, policy_hash, in_force, answer, made_at)
       VALUES (repeat($1, 64), 'default', repeat('a', 64), 'default@1', '{}', $2)`,
      [days === 401 ? '1' : '2', at(days)],
    );
  }
  for (const days of [2, 1]) {
    await pool.query(
      `INSERT INTO operator_session (session_hash, actor, scopes, signed_in_at, last_used_at)
       VALUES (sha256(convert_to($1, 'UTF8')), 'oidc:acme:' || $1, '{}', $2, $2)`,
      [`${days}`, at(days)],
    );
  }
  for (const days of [31, 29]) {
    await pool.query("INSERT INTO request_log (at, category, app, event) VALUES ($1, 'AUDIT', 'shop', $2)", [
      at(days),
      `${days}`,
    ]);
  }
  await pool.query(
    "INSERT INTO breaker_release (trip_id, reason, proposed_at) SELECT id, 'r', now() FROM breaker_trip",
  );
  await pool.query("INSERT INTO breaker_release_vote SELECT id, 'olga', now() FROM breaker_release");
  await pool.query(
    'INSERT INTO breaker_pass (release_id, trip_id, identity_id) SELECT id, trip_id, $1 FROM breaker_release',
    [away],
  );
});
afterAll(() => database.close());

const kept = async (sql: string) =>
  (await database.pool.query({ text: sql, rowMode: 'array' })).rows.flat().sort();

it('forgets what has served its time, keeps what is younger or still says something, and may be repeated', async () => {
  const { pool } = database;
  expect(await forgetOld(pool, retention, now)).toEqual({
    mail: 2,
    reconciliation: 1,
    signal_outbox: 1,
    activity_feed: 1,
    postponement: 1,
    request_log: 1,
    breaker_trip: 1,
    policy_preview: 1,
    operator_session: 1,
  });
  expect(await forgetOld(pool, retention, now)).toEqual({});
  expect(await kept('SELECT message_key FROM mail')).toEqual([
    'of somebody who was buried later',
    'old, and the notice of an absence that lasts',
    'old, came back, and the person is back',
    'younger',
  ]);
  expect(await kept('SELECT event FROM request_log')).toEqual(['29']);
  expect(await kept('SELECT left(hash, 1) FROM policy_preview')).toEqual(['2']);
  expect(await kept('SELECT actor FROM operator_session')).toEqual(['oidc:acme:1']);
  expect(await kept('SELECT run_id FROM reconciliation')).toEqual(['399']);
  expect(await kept('SELECT jti FROM signal_outbox')).toEqual(['parked 399', 'pending 399', 'pending 401']);
  expect(await kept('SELECT why FROM breaker_trip')).toEqual(['clock 399', 'clock 401', 'limit 399']);
  for (const table of ['breaker_release', 'breaker_release_vote', 'breaker_pass'])
    expect(await kept(`SELECT 1 FROM ${table}`)).toHaveLength(3);
});

/** A change that adds a table puts it into one of the two lists. */
it('lists for each table how its growth is bounded', async () => {
  const byTime = [
    ...['mail', 'reconciliation', 'signal_outbox', 'activity_feed', 'postponement'],
    ...[
      'idle_session',
      'personal_token',
      'sourced_token',
      'credential',
      'token_use',
      'request_log',
      'admission_change',
      'refresh_family',
      'refresh_consent',
      'breaker_trip',
      'policy_preview',
      'operator_session',
      'breaker_release',
      'breaker_release_vote',
      'breaker_pass',
    ],
    // Pruned by the code that writes them, and the audit log by its owner.
    ...['activity_mark', 'link', 'retired_identifier', 'bounce_unmatched'],
    ...['breaker_grant', 'breaker_tally', 'breaker_wake', 'breaker_waiting_token', 'audit', 'audit_head'],
  ];
  const byIdentity = [
    ...[
      'standing',
      'identity_activity',
      'activity_signal',
      'revocation',
      'disablement',
      'tombstone',
      'identity_key',
    ],
    ...['notified_address', 'address_key', 'kratos_witness', 'absence_confirmation', 'deletion_intent'],
    ...['mail_preference', 'return_address', 'exemption', 'identity_hold', 'idle_choice'],
  ];
  const fixed = [
    ...[
      'policy',
      'activity_source',
      'breaker_clock',
      'breaker_window',
      'audit_checkpoint',
      'dormouse_migration',
    ],
    // One row for each version of a policy, and for each month.
    ...['kratos_installation', 'policy_rollout', 'month_report'],
    // One row for each paced system.
    'pace',
  ];
  const tables = await kept('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()');
  const known = [...byTime, ...byIdentity, ...fixed];
  expect(tables.filter((table) => !known.includes(String(table)))).toEqual([]);
});
