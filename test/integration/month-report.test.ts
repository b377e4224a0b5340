/** The report of a month, against a population whose course is written down here. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendAudit } from '../../src/audit/log-table.js';
import { monthAfter, monthOf } from '../../src/audit/month.js';
import { monthCsv } from '../../src/audit/month-csv.js';
import { monthPage } from '../../src/audit/month-page.js';
import { monthReport } from '../../src/audit/month-report.js';
import { monthText } from '../../src/audit/month-text.js';
import { type AuditEntry, type AuditEventType, installationId } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import { findingsInFile } from '../support/axe-findings.js';
import { typed } from '../support/command.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';

let database: FreshDatabase;
let desk: Desk;
let operator: Operator;
const october = Date.UTC(2026, 9);
const day = (number: number) => october + (number - 1) * dayMs;

type Step = readonly [AuditEventType, number, AuditEntry['detail']?, string?];

async function live(...steps: readonly Step[]): Promise<void> {
  await write(randomUUID(), steps);
}

async function write(target: string, steps: readonly Step[]): Promise<void> {
  const entries = steps.map(
    ([eventType, occurredAt, detail, outcome]): AuditEntry => ({
      eventId: randomUUID(),
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

const exemption = (id: number, kind: string, reviewAt: number) => ({
  exemptionId: id,
  kind,
  reason: 'parental leave',
  owner: 'hr',
  reviewAt,
});

beforeAll(async () => {
  database = await openFreshDatabase();
  desk = await openDesk({ postgresUrl: database.url });
  operator = await desk.operator();
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
    ['tokens_revoked_stale', day(10), { sessions: 3, consents: 2 }],
    ['tokens_revoked_stale', day(12), { type: 'refresh', families: 4 }],
    ['account_deactivated', day(31) + dayMs - 1],
  );
  // A warning that no server took is none.
  await live(
    ['inactivity_warned', day(4), {}, 'rejected'],
    ['tokens_revoked_stale', day(4), { type: 'personal' }],
  );
  // Came back 40 days after the warning: nobody would say that it was the warning.
  await live(['inactivity_warned', day(5)], ['returned', day(45), {}, 'activity']);
  // An exemption ended the ladder: nobody came back.
  await live(['returned', day(9), {}, 'exempt']);
  // Of other months.
  await live(['tokens_revoked_stale', october - 1], ['account_deleted', day(32)]);
  // Exemptions: one that stands and whose review is overdue, one that ended, one of November, one of a deleted account.
  await live(['exemption_set', day(-29), exemption(1, 'leave', day(20))]);
  await live(
    ['exemption_set', day(3), exemption(2, 'vip', day(90))],
    ['exemption_ended', day(8), exemption(2, 'vip', day(90))],
  );
  await live(['exemption_set', day(40), exemption(3, 'leave', day(90))]);
  await live(['exemption_set', day(2), exemption(4, 'leave', day(90))], ['account_deleted', day(30)]);
  // Operators, the breaker, Kratos, mails.
  await live(['step_parked', day(6), { step: 'revoke' }, 'KratosRefused'], ['parked_retried', day(7), {}]);
  await live(['identity_missing', day(6)], ['identity_reappeared', day(7)]);
  await live(['held_by_breaker', day(11), { rung: 'revoke', tripId: 1 }, 'limit']);
  await live(['held_by_breaker', day(11), { rung: 'revoke', tripId: 1 }, 'limit']);
  await write(installationId, [
    ['breaker_tripped', day(11), {}, 'limit'],
    ['breaker_released', day(12)],
  ]);
  await live(
    ['notice_failed', day(13), { rung: 'deactivate' }, 'no-address'],
    ['notice_bounced', day(14), { rung: 'deactivate' }, 'bounced'],
  );
});
afterAll(async () => {
  await desk?.close();
  await database?.close();
});

describe('the figures', () => {
  it('people by what reached them within the month, and none twice', async () => {
    const { people } = await monthReport(database.pool, '2026-10', day(70));
    expect(people).toEqual({
      revoked: 2,
      revoked_ladder: 1,
      revoked_refresh: 1,
      revoked_personal: 1,
      warned: 4,
      suspended: 1,
      deactivated: 1,
      deleted: 1,
      returned: 1,
    });
  });

  it('a return is credited to the last notice before it, also after the month, and for 30 days', async () => {
    const { notices } = await monthReport(database.pool, '2026-10', day(70));
    expect(notices).toEqual([
      { notice: 'revoke', sent: 1, returned: 1, medianMs: 16 * dayMs, ninetiethMs: 16 * dayMs },
      { notice: 'warn', sent: 4, returned: 1, medianMs: 2 * dayMs, ninetiethMs: 2 * dayMs },
    ]);
  });

  it('credentials by type, and the last twelve months', async () => {
    const { credentials, months, days } = await monthReport(database.pool, '2026-10', day(70));
    expect(credentials).toEqual({ sessions: 3, consents: 2, refreshFamilies: 4, personalTokens: 1 });
    expect(months.map(({ month }) => month)).toEqual(
      Array.from({ length: 12 }, (_, index) => monthAfter('2025-11', index)),
    );
    expect(months.slice(-2).map(({ revoked }) => revoked)).toEqual([1, 2]);
    expect(days).toHaveLength(31);
    expect(days.find(({ day: name }) => name === '2026-10-02')?.warned).toBe(2);
  });

  it('exemptions that stand at the end of the month, with their age', async () => {
    const { exemptions, events } = await monthReport(database.pool, '2026-10', day(70));
    expect(exemptions).toEqual([
      { kind: 'leave', count: 1, medianAgeMs: 61 * dayMs, oldestAgeMs: 61 * dayMs, overdue: 1 },
    ]);
    expect(events.exemptions).toEqual([
      { event: 'exemption_set', outcome: 'leave', events: 1, people: 1 },
      { event: 'exemption_set', outcome: 'vip', events: 1, people: 1 },
      { event: 'exemption_ended', outcome: '', events: 1, people: 1 },
    ]);
  });

  it('parked steps, the breaker, missing identities, and mails that did not arrive', async () => {
    const { events } = await monthReport(database.pool, '2026-10', day(70));
    expect(events.parked).toEqual([
      { event: 'step_parked', outcome: 'KratosRefused', events: 1, people: 1 },
      { event: 'parked_retried', outcome: '', events: 1, people: 1 },
    ]);
    expect(events.breaker).toEqual([
      { event: 'breaker_tripped', outcome: 'limit', events: 1, people: 0 },
      { event: 'held_by_breaker', outcome: 'revoke', events: 2, people: 2 },
      { event: 'breaker_released', outcome: '', events: 1, people: 0 },
    ]);
    expect(events.missing.map(({ event, people }) => [event, people])).toEqual([
      ['identity_missing', 1],
      ['identity_reappeared', 1],
    ]);
    expect(events.mails.map(({ event, outcome, events: count }) => [event, outcome, count])).toEqual([
      ['inactivity_warned', 'accepted', 4],
      ['inactivity_warned', 'rejected', 1],
      ['notice_sent', 'revoke', 1],
      ['notice_failed', 'deactivate no-address', 1],
      ['notice_bounced', 'deactivate', 1],
    ]);
  });

  it('thirty days after the month they are final: whatever happens later changes none', async () => {
    const early = await monthReport(database.pool, '2026-10', day(61) - 1);
    expect(early.isFinal).toBe(false);
    const { now: _now, ...before } = await monthReport(database.pool, '2026-10', day(62));
    expect(before.isFinal).toBe(true);
    await live(
      ['inactivity_warned', day(62)],
      ['tokens_revoked_stale', day(63)],
      ['returned', day(64), {}, 'activity'],
    );
    const { now: _later, ...after } = await monthReport(database.pool, '2026-10', day(400));
    expect(after).toEqual(before);
  });

  it('a month without events has zeros and no notices', async () => {
    const { people, notices, days } = await monthReport(database.pool, '2025-02', day(60));
    expect(new Set(Object.values(people))).toEqual(new Set([0]));
    expect(notices).toEqual([]);
    expect(days).toHaveLength(28);
  });
});

describe('what shows them', () => {
  it('the command says the number of revocations first, and refuses what is no month', async () => {
    const { stdout } = await operator.typed(['report', '--month', '2026-10']);
    expect(stdout.split('\n')[1]).toMatch(/^ {2}hit revocation +2$/);
    for (const bad of ['2026-13', '2026-1', '0001-01', '2026-10-01']) {
      const refused = await operator.typed(['report', '--month', bad]);
      expect(refused.exitCode).toBe(1);
      expect(refused.all).toContain('--month: is no month. Write it as 2026-10');
    }
    const both = await operator.typed(['report', '--month', '2026-10', '--csv', '--json']);
    expect(both.all).toMatch(/^--csv: goes without --json/);
    const csv = await operator.typed(['report', '--month', '2026-10', '--csv']);
    expect(csv.stdout).toMatch(/^month,part,name,detail,value,is_final\n2026-10,people,revoked,,2,[01]$/m);
    expect(() => monthOf('2026-1')).toThrow('is no month');
  });

  it('the same numbers in text, CSV and page', async () => {
    const report = await monthReport(database.pool, '2026-10', day(62));
    const text = monthText(report).join('\n');
    expect(text).toMatch(/warn +4 accepted, 1 returned \(25\.0 %\), half of them within 2\.0 d/);
    expect(text).toMatch(/leave +1, half of them for 61\.0 d or longer.*reviews overdue: 1/);
    const csv = monthCsv(report);
    expect(csv).toContain('2026-10,notice,warn,returned,1,1\r\n');
    expect(csv).toContain('2026-10,present,parked,,0,0\r\n');
    const page = monthPage(report);
    expect(page).toContain('<strong>2</strong> people hit revocation');
    expect(page).toContain('<td>25.0 %</td>');
    expect(page).not.toMatch(/(src|href)="https?:/);
    expect(page).not.toContain('<script');
  });

  it('the page: no finding by axe-core, in light and dark', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'dormouse-report-'));
    const path = join(directory, 'report.html');
    const asked: string[] = [];
    const gateway = createServer((request, response) => {
      asked.push(String(request.url));
      const headers = { authorization: String(request.headers.authorization) };
      void fetch(new URL(String(request.url), desk.gateway.url), { headers })
        .then((answer) => answer.text())
        .then((text) => response.end(text));
    });
    await new Promise<void>((listening) => gateway.listen(0, '127.0.0.1', listening));
    const { port } = gateway.address() as AddressInfo;
    const environment = { ...operator.environment, DORMOUSE_GATEWAY: `http://127.0.0.1:${port}` };
    const written = await typed(environment, ['report', '--month', '2026-10', '--html', path]);
    gateway.close();
    expect([written.exitCode, written.all]).toEqual([0, `written: ${path}`]);
    expect(asked).toEqual(['/v1/audit/months/2026-10?format=html']);
    expect(await readFile(path, 'utf8')).toContain('Inactive accounts, 2026-10');
    try {
      expect(await findingsInFile(path)).toEqual({ light: [], dark: [] });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('over HTTP', () => {
  const ask = async (path: string, secret: string) => {
    const url = new URL(`/v1/audit/months/${path}`, desk.gateway.url);
    const answer = await fetch(url, { headers: { authorization: `Bearer ${secret}` } });
    return { status: answer.status, text: await answer.text() };
  };

  it('the report as JSON has times as RFC 3339, and the figures of the command', async () => {
    const { status, text } = await ask('2026-10', operator.secret);
    expect(status).toBe(200);
    const report = JSON.parse(text);
    expect(report).toMatchObject({ schemaVersion: 2, month: '2026-10', people: { revoked: 2 } });
    expect(report.finalAt).toBe('2026-12-01T00:00:00.000Z');
    const { stdout } = await operator.typed(['report', '--month', '2026-10', '--json']);
    expect(JSON.parse(stdout).people).toEqual(report.people);
  });

  it('what is no month, and a credential that may not read the audit log, are refused', async () => {
    expect(await ask('2026-13', operator.secret)).toMatchObject({
      status: 400,
      text: expect.stringContaining('month: is no month. Write it as 2026-10'),
    });
    const weak = await desk.operator('somebody', ['standing:read']);
    expect((await ask('2026-10', weak.secret)).status).toBe(403);
    expect((await ask('2026-10', 'dmc_forged')).status).toBe(401);
  });
});
