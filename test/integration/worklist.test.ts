/** The work list on the real PostgreSQL: every kind of work, by pages, and nothing else. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proposeRelease, tripAndAudit } from '../../src/breaker/decisions.js';
import { given } from '../../src/domain/given.js';
import type { Standing } from '../../src/domain/standing.js';
import { setExemption } from '../../src/exemptions/exemptions-table.js';
import { inTransaction } from '../../src/postgres/pool.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { parkedPage } from '../../src/worklist/parked.js';
import { defaultWorklistLimits, type WorkItem, type WorkKind, workKinds } from '../../src/worklist/rules.js';
import { countWork, readWork, WorkCursorError } from '../../src/worklist/worklist.js';
import { allPages } from '../support/all-pages.js';
import { alterPolicy } from '../support/alter-policy.js';
import { publish } from '../support/publish.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { slowPolicy } from '../support/system-outside.js';

const day = 86_400_000;
const now = Date.UTC(2030, 0, 1);
const query = { ...defaultWorklistLimits, now };
const owned = randomUUID();
const unowned = randomUUID();
let database: FreshDatabase;

beforeAll(async () => {
  database = await openFreshDatabase();
  await fill();
});
afterAll(() => database.close());

async function standing(more: Partial<Standing>): Promise<string> {
  const identityId = randomUUID();
  const whole: Standing = {
    ...{ schemaVersion: 1, identityId, stage: 'revoked', since: now - day, lastActiveAt: now - day },
    ...{
      activity: {},
      why: '',
      notices: [],
      completed: {},
      warnings: [],
      offBottom: true,
      signalWindowMs: 0,
    },
    ...more,
  };
  await writeStanding(database.pool, whole, now);
  return identityId;
}

const parked = (errorType: string) => {
  const why = `revoke failed for good (${errorType})`;
  return standing({
    blocked: { by: 'parked', why, since: now - day },
    parked: { step: 'revoke', errorType, wayOut: 'Look at it, then retry.', since: now - day },
  });
};
const hold = (days: number, id = 'h1') => ({
  ...{ id, kind: 'leave' as const, reason: 'leave', actor: 'op' },
  since: now - day,
  until: now + days * day,
});
const held = (...holds: ReturnType<typeof hold>[]) => {
  const last = holds.at(-1) ?? expect.fail('no hold');
  return standing({ blocked: { by: 'hold', why: 'on hold' }, hold: last, holds });
};
const disabled = (days: number) =>
  standing({ blocked: { by: 'disabled-by-admin', why: 'by hand', since: now - days * day } });
const exempt = (reviewInDays: number) =>
  setExemption(database.pool, {
    ...{ identityId: randomUUID(), kind: 'service', reason: 'batch', owner: 'team/x', actor: 'op' },
    reviewAt: now + reviewInDays * day,
    at: now - 100 * day,
  });

const expected: Record<WorkKind, number> = {
  missing: 2,
  'breaker-tripped': 1,
  'policy-altered': 1,
  'release-pending': 1,
  parked: 7,
  'no-notice': 2,
  'exemption-review': 4,
  'exemption-without-owner': 1,
  'hold-ends': 2,
  'deletion-skipped': 1,
  'disabled-by-admin': 2,
  warning: 1,
};

async function fill(): Promise<void> {
  const { pool } = database;
  for (let i = 0; i < 6; i += 1) await parked('HydraFailed');
  await parked('IdentityDoesNotFitSchema');
  for (const outcome of ['no-address', 'rejected'] as const) {
    await standing({
      next: { step: 'notice', rung: 'delete', at: now + day },
      blocked: { by: 'no-notice', why: 'no notice of delete could be delivered', since: now - day },
      notices: [{ rung: 'delete', leadMs: day, outcome, at: now - day, inactiveSince: 1 }],
    });
  }
  await held(hold(13));
  await held(hold(3), hold(10, 'h2'));
  // The hold that ends soon is not the last: the ladder does not continue then.
  await held(hold(3), hold(200, 'h2'));
  await held(hold(-1));
  await disabled(91);
  await disabled(400);
  await disabled(89);
  await standing({ warnings: ['metadata-not-published'] });
  await standing({ stage: 'deactivated', skipped: { delete: now - day } });
  await standing({ skipped: { suspend: now - day } });
  for (const at of [undefined, now + day]) {
    await standing({
      blocked: { by: 'missing', why: 'missing since yesterday', since: now - day },
      ...(at === undefined ? {} : { next: { step: 'rung', rung: 'bury', at } }),
    });
  }
  await standing({ blocked: { by: 'exempt', why: 'exempt' } });
  await standing({});
  for (const days of [-3, -2, -1, 1]) await exempt(days);
  const excluded = `exclusions: { identities: [${unowned}, { id: ${owned}, owner: team/y, reviewAt: 2029-12-01 }] }\n`;
  await publish(pool, slowPolicy('older', excluded), now);
  await publish(pool, slowPolicy('altered', excluded), now);
  await alterPolicy(pool, 'altered', 1, 'after: 90d', 'after: 91d');
  await inTransaction(pool, (client) =>
    tripAndAudit(client, {
      scope: 'delete',
      cause: 'limit',
      why: 'too many',
      trippedAt: now - day,
      operators: 2,
    }),
  );
  await proposeRelease(pool, { tripId: 1, actor: 'op-1', reason: 'looked at it', at: now });
}

async function everything(kind?: WorkKind, rows = 500): Promise<WorkItem[]> {
  const pages = await allPages((after) =>
    readWork(database.pool, query, { rows, ...given({ kind, after }) }),
  );
  return pages.flatMap(({ items }) => items);
}
const byKind = (items: readonly WorkItem[]) =>
  Object.fromEntries(workKinds.map((kind) => [kind, items.filter((item) => item.kind === kind).length]));

describe('the work list', () => {
  it('has every kind of work, and counts it', async () => {
    expect(await countWork(database.pool, query)).toEqual(expected);
    expect(byKind(await everything())).toEqual(expected);
  });

  it('has the reason and the way out of each item, the widest stop first', async () => {
    const items = await everything();
    for (const { subject, why, wayOut } of items) {
      expect(subject).not.toMatch(/^$|unknown/);
      expect(why).not.toBe('');
      expect(wayOut).toMatch(/\.$/);
    }
    expect(items[0]).toMatchObject({ kind: 'breaker-tripped', since: now - day, why: 'too many (limit)' });
    expect(items[1]).toMatchObject({ kind: 'release-pending', why: 'looked at it: 1 of 2 operators (op-1)' });
  });

  it.each([1, 2, 3, 5])('by pages of %i is the same, each item once', async (rows) => {
    expect(await everything(undefined, rows)).toEqual(await everything());
  });

  it.each(workKinds)('of one kind, %s', async (kind) => {
    const items = await everything(kind, 2);
    expect(items).toEqual((await everything()).filter((item) => item.kind === kind));
    expect(items).toHaveLength(expected[kind]);
  });

  it("tells the error's way out of a parked step, and the outcome of a notice", async () => {
    expect((await everything('parked'))[0]).toMatchObject({
      subject: 'revoke',
      wayOut: 'Look at it, then retry.',
    });
    const whys = (await everything('no-notice')).map(({ why }) => why);
    expect(whys.sort()).toEqual([
      'no notice of delete could be delivered (no-address)',
      'no notice of delete could be delivered (rejected)',
    ]);
  });

  it('has the owner of each overdue exemption, the longest overdue first, then those of policies', async () => {
    const items = await everything('exemption-review');
    expect(items.map(({ owner }) => owner)).toEqual(['team/x', 'team/x', 'team/x', 'team/y']);
    expect(items.slice(0, 3).map(({ since }) => since)).toEqual([now - 3 * day, now - 2 * day, now - day]);
    expect(items[3]).toMatchObject({ identityId: owned, since: Date.UTC(2029, 11, 1) });
    expect(await everything('exemption-without-owner')).toMatchObject([{ identityId: unowned }]);
  });

  it('takes other limits', async () => {
    const counts = await countWork(database.pool, {
      now,
      holdEndsWithinMs: 300 * day,
      disabledForMs: 365 * day,
    });
    expect(counts).toMatchObject({ 'hold-ends': 3, 'disabled-by-admin': 1 });
  });

  it('reads the single hold and block of standings from older builds', async () => {
    const { pool } = database;
    const later = now + 1_000 * day;
    const { id: _id, kind: _kind, ...old } = hold(1_005);
    const older = { blocked: { by: 'disabled-by-admin' as const, why: 'by hand' } };
    await standing({ hold: old as Standing['hold'] & object });
    await standing(older);
    const limits = { ...defaultWorklistLimits, now: later };
    expect((await readWork(pool, limits, { kind: 'hold-ends', rows: 9 })).items).toMatchObject([
      { subject: 'h1 (other)', dueAt: later + 5 * day },
    ]);
    expect(await countWork(pool, limits)).toMatchObject({ 'disabled-by-admin': 4 });
    await pool.query(
      "DELETE FROM standing WHERE document #>> '{hold,until}' = $1 OR document -> 'blocked' = $2",
      [String(now + 1_005 * day), JSON.stringify(older.blocked)],
    );
  });

  it.each([
    'parked',
    'parked:',
    "parked:'; DROP TABLE standing",
    'nothing:1',
    `hold-ends:${randomUUID()}x`,
    'breaker-tripped:x',
    'exemption-review:1.2.3',
  ])('refuses the cursor %s', async (after) => {
    await expect(readWork(database.pool, query, { after, rows: 5 })).rejects.toThrow(WorkCursorError);
  });
});

describe('parked steps', () => {
  const listed = async (error?: string, rows = 1_000) => {
    const pages = await allPages((after) => parkedPage(database.pool, { rows, ...given({ error, after }) }));
    return pages.flatMap(({ parked }) => parked);
  };

  it('are listed whole, or by error, by pages of any size', async () => {
    expect(await listed()).toHaveLength(7);
    expect(await listed('HydraFailed', 2)).toHaveLength(6);
    expect(await listed('IdentityDoesNotFitSchema', 1)).toMatchObject([
      { step: 'revoke', errorType: 'IdentityDoesNotFitSchema', since: now - day },
    ]);
    expect(await listed('KratosFailed')).toEqual([]);
  });
});
