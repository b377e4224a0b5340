/** The month's report counts people by the app's table in which they lost unused tokens. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendAudit } from '../../src/audit/log-table.js';
import { monthCsv } from '../../src/audit/month-csv.js';
import { monthPage } from '../../src/audit/month-page.js';
import { monthReport } from '../../src/audit/month-report.js';
import { monthText } from '../../src/audit/month-text.js';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

let database: FreshDatabase;
const october = Date.UTC(2026, 9);

async function lost(...tables: readonly string[]): Promise<void> {
  const target = randomUUID();
  const entries = tables.map(
    (source, index): AuditEntry => ({
      ...{ eventId: randomUUID(), eventType: 'tokens_revoked_stale', target, actor: 'engine' },
      ...{ occurredAt: october + index * dayMs, stage: 'active', daysInactive: 400, outcome: 'done' },
      detail: { type: 'personal', source },
    }),
  );
  await appendAudit(database.pool, entries, async () => undefined);
}

beforeAll(async () => {
  database = await openFreshDatabase();
  await lost('shop', 'shop', 'forge');
  await lost('shop');
});
afterAll(() => database?.close());

it('counts each person once in each table', async () => {
  const { sources, people } = await monthReport(database.pool, '2026-10', october + 60 * dayMs);
  expect(sources).toEqual([
    { source: 'forge', people: 1 },
    { source: 'shop', people: 2 },
  ]);
  expect(people.revoked_personal).toBe(2);
});

it('text, CSV and page say the table', async () => {
  const report = await monthReport(database.pool, '2026-10', october + 60 * dayMs);
  expect(monthText(report)).toContain('  people, in the table of shop: 2');
  expect(monthCsv(report).join('')).toMatch(/"?2026-10"?,"?source"?,"?shop"?,"?people"?,"?2"?,/);
  expect(monthPage(report)).toMatch(/in the table of shop/);
});

it('a month without such ends has no table', async () => {
  expect((await monthReport(database.pool, '2025-02', october)).sources).toEqual([]);
});
