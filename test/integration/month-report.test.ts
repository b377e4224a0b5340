/** The report of a month, against a population whose course is written down here. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { appendAudit } from '../../src/audit/log-table.js';
import { buildMonthReport, monthOf } from '../../src/audit/month-report.js';
import type { AuditEntry, AuditEventType } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { typed } from '../support/command.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

let database: FreshDatabase;
const october = Date.UTC(2026, 9);
const day = (number: number) => october + (number - 1) * dayMs;

type Step = readonly [AuditEventType, number, AuditEntry['detail']?, string?];

async function live(...steps: readonly Step[]): Promise<void> {
  const target = randomUUID();
  const entries = steps.map(
    ([eventType, occurredAt, detail, outcome], index): AuditEntry => ({
      eventId: `${target}/${index}`,
      eventType,
      target,
      actor: 'engine',
      occurredAt,
      stage: 'active',
      daysInactive: 30,
      outcome:
        outcome ?? (eventType.startsWith('notice') || eventType.endsWith('warned') ? 'accepted' : 'done'),
      ...(detail && { detail }),
    }),
  );
  await appendAudit(database.pool, entries, async () => undefined);
}

beforeAll(async () => {
  database = await openFreshDatabase();
  // Came back two days after the warning.
  await live(['inactivity_warned', day(1)], ['returned', day(3), {}, 'activity']);
  // Came back after the notice of revocation, in November: the notice of October worked, the warning did not.
  await live(
    ['inactivity_warned', day(2)],
    ['notice_sent', day(20), { rung: 'revoke' }],
    ['account_reactivated', day(36), {}, 'self-service'],
  );
  // Never came back, and lost the tokens twice: one person.
  await live(
    ['inactivity_warned', day(2)],
    ['actions_suspended', day(5)],
    ['tokens_revoked_stale', day(10)],
    ['tokens_revoked_stale', day(12), { type: 'refresh' }],
    ['account_deactivated', day(31) + dayMs - 1],
  );
  // A warning that no server took is none.
  await live(
    ['inactivity_warned', day(4), {}, 'rejected'],
    ['tokens_revoked_stale', day(4), { type: 'personal' }],
  );
  // Tokens in apps’ own tables: one person in two of them.
  await live(
    ['tokens_revoked_stale', day(5), { type: 'personal', source: 'shop' }],
    ['tokens_revoked_stale', day(6), { type: 'personal', source: 'shop' }],
    ['tokens_revoked_stale', day(6), { type: 'personal', source: 'forge' }],
    ['personal_token_expired', day(6), { source: 'forge' }],
  );
  await live(['tokens_revoked_stale', day(7), { type: 'personal', source: 'shop' }]);
  // An exemption ended the ladder: nobody came back.
  await live(['returned', day(9), {}, 'exempt']);
  // Of other months.
  await live(['tokens_revoked_stale', october - 1], ['account_deleted', day(32)]);
});
afterAll(() => database?.close());

it('counts people by what reached them within the month, and none twice', async () => {
  const { people } = await buildMonthReport(database.pool, '2026-10', day(60));
  expect(people).toEqual({
    revoked: 4,
    revoked_ladder: 1,
    revoked_refresh: 1,
    revoked_personal: 3,
    warned: 3,
    suspended: 1,
    deactivated: 1,
    deleted: 0,
    returned: 1,
  });
});

it('counts by table who lost tokens in those of apps', async () => {
  const { sources } = await buildMonthReport(database.pool, '2026-10', day(60));
  expect(sources).toEqual([
    { source: 'forge', people: 1 },
    { source: 'shop', people: 2 },
  ]);
});

it('credits a return to the last notice before it, also where it came after the month', async () => {
  const { notices } = await buildMonthReport(database.pool, '2026-10', day(60));
  expect(notices).toEqual([
    { notice: 'revoke', sent: 1, returned: 1, medianMs: 16 * dayMs },
    { notice: 'warn', sent: 3, returned: 1, medianMs: 2 * dayMs },
  ]);
});

it('a month without events has zeros, no table and no notices', async () => {
  const { people, sources, notices } = await buildMonthReport(database.pool, '2025-02', day(60));
  expect(new Set(Object.values(people))).toEqual(new Set([0]));
  expect([...sources, ...notices]).toEqual([]);
});

it('the command says the number of revocations first, and refuses what is no month', async () => {
  const environment = { ...inject('environment'), DORMOUSE_POSTGRES_URL: database.url };
  const { all = '' } = await typed(environment, ['report', '--month', '2026-10']);
  expect(all.split('\n')[1]).toMatch(/^ {2}hit revocation +4$/);
  expect(all).toMatch(/^ {6}in the table of shop +2$/m);
  const refused = await typed(environment, ['report', '--month', '2026-13']);
  expect(refused.exitCode).toBe(1);
  expect(refused.all).toContain('--month: is no month. Write it as 2026-10');
  expect(() => monthOf('2026-1')).toThrow('is no month');
});
