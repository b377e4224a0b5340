/**
 * PostgreSQL has no room: every insert into Dormouse's tables fails with SQLSTATE 53100 (disk_full), raised by a trigger
 * because a full file system can't be made without privileges. Nothing destructive happens meanwhile, and all of it after.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { lines } from '../support/harness/audit-lines.js';
import { type Journey, openHarness } from '../support/harness/open.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';

let database: FreshDatabase;
let journey: Journey;
let taskQueue: string;

beforeAll(async () => {
  database = await openFreshDatabase();
  journey = await openHarness({ time: 'skipping', database });
  taskQueue = await journey.startWorkers();
  await journey.publish(`
id: no-room
ladder:
  deactivate: { after: 30d, notices: [5d], noticeFloor: 5d, withoutNotice: wait }
breaker: { stall: off }
recheck: 7d
# In skipped time attempts come one upon another: enough of them until the room is back, and all of them within a day.
retry: { attempts: 100, firstAfter: 5s, longestAfter: 10m }
jitter: none
`);
});
afterAll(async () => {
  await journey.end();
  await database.close();
});

/**
 * Where the account stands when the insert is refused: `not_before` is written after the disabling, which was announced as
 * the engine's own act before it. Standing and audit are written in several places of the step.
 */
const stateBefore: Readonly<Record<string, string | undefined>> = {
  breaker_grant: 'active',
  disablement: 'active',
  revocation: 'inactive',
  standing: undefined,
  audit: undefined,
};

test.each(
  Object.keys(stateBefore),
)('no room for %s: no deactivation that the engine could not remember', async (table) => {
  const person = await journey.people.create('no-room');
  const startedAt = await journey.now();
  const stateOf = async () => (await journey.people.identities.getIdentity({ id: person.id })).data.state;
  await journey.enrol(person.id, taskQueue, { policyId: 'no-room', activity: { human: startedAt } });
  await journey.travelTo(startedAt + 26 * dayMs);
  expect(lines(await journey.audit(person.id))).toEqual(['0 lifecycle_started', '25 notice_sent']);
  await fill(table);
  const travelling = journey.travelTo(startedAt + 31 * dayMs);
  try {
    await until('an insert was refused', () => refusals(table));
    const state = stateBefore[table];
    if (state !== undefined) expect(await stateOf()).toBe(state);
    expect(lines(await journey.audit(person.id))).not.toContain('30 account_deactivated');
  } finally {
    await empty(table);
  }
  await travelling;
  await journey.travelTo(startedAt + 36 * dayMs);
  const events = lines(await journey.audit(person.id)).filter((line) => line.endsWith('account_deactivated'));
  expect(events).toEqual(['30 account_deactivated']);
  expect(await stateOf()).toBe('inactive');
  await journey.forgetLifecycles();
});

/** From now on the table takes no row; a sequence counts the refusals, because what fails leaves no other trace. */
async function fill(table: string): Promise<void> {
  await database.pool.query(`
    CREATE SEQUENCE refused_${table};
    CREATE FUNCTION no_room_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM nextval('refused_${table}');
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION no_room_${table}();
  `);
}

async function empty(table: string): Promise<void> {
  await database.pool.query(
    `DROP TRIGGER no_room ON ${table}; DROP FUNCTION no_room_${table}; DROP SEQUENCE refused_${table}`,
  );
}

async function refusals(table: string): Promise<boolean> {
  const found = await database.pool.query<{ is_called: boolean }>(`SELECT is_called FROM refused_${table}`);
  return found.rows[0]?.is_called === true;
}
