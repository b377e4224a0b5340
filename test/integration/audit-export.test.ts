/** Exports and the report, from a log and standings that the test wrote, in a database of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { type ExportOptions, exportAudit, selectionOf } from '../../src/audit/export.js';
import { appendAudit } from '../../src/audit/log-table.js';
import { buildReport, describeReport } from '../../src/audit/report.js';
import { streamAudit } from '../../src/audit/stream.js';
import { buryIdentity } from '../../src/deletion/tombstones-table.js';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import { dayMs } from '../../src/domain/duration.js';
import type { Stage } from '../../src/domain/rungs.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { auditEntry } from '../support/audit-forger.js';
import { compiled } from '../support/compiled-sources.js';
import { type Desk, type Operator, openDesk } from '../support/desk.js';
import { recordSigns } from '../support/record-signs.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { publish, slowPolicy, unknownId } from '../support/system-outside.js';

let database: FreshDatabase;
let pool: pg.Pool;
let directory: string;
const january = Date.UTC(2026, 0, 15);
const february = Date.UTC(2026, 1, 15);
const now = Date.UTC(2026, 2, 1);
const types: AuditEntry['eventType'][] = ['inactivity_warned', 'account_deactivated', 'winback_sent'];

beforeAll(async () => {
  database = await openFreshDatabase();
  pool = database.pool;
  directory = await mkdtemp(join(tmpdir(), 'dormouse-export-'));
  for (const occurredAt of [january, february]) {
    await appendAudit(
      pool,
      types.map((eventType) => auditEntry({ eventType, occurredAt, detail: { reason: '=cmd|"x", \n☃' } })),
    );
  }
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await database.close();
});

async function exported(options: Partial<ExportOptions>, pageSize?: number): Promise<string> {
  const all: ExportOptions = { format: 'csv', selection: {}, generatedAt: now, ...options };
  let text = '';
  for await (const part of exportAudit(streamAudit(pool, selectionOf(all), pageSize), all)) text += part;
  return text;
}

/** Reads RFC 4180 independently of the code that writes it. */
function readCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  const [names = [], ...lines] = rows.slice(0, -1);
  return lines.map((cells) =>
    Object.fromEntries(names.map((name, index) => [name, cells[index] ?? 'missing'])),
  );
}

describe('export as CSV', () => {
  it('has one row an event, with controls, policy and hashes', async () => {
    const rows = readCsv(await exported({}));
    expect(rows.map(({ seq, event_type }) => [seq, event_type])).toEqual(
      [...types, ...types].map((type, index) => [String(index + 1), type]),
    );
    expect(rows[1]).toMatchObject({
      occurred_at: '2026-01-15T00:00:00.000Z',
      policy_id: 'default',
      policy_version: '2',
      policy_hash: 'f'.repeat(64),
      controls: expect.stringContaining('PCI DSS 4.0.1 8.2.6 (evidence)'),
      why: expect.stringContaining('disabled for inactivity'),
      detail: '{"reason":"=cmd|\\"x\\", \\n☃"}',
      previous_hash: rows[0]?.hash,
    });
    expect(rows[2]).toMatchObject({ controls: '', why: '' });
  });

  it('is the same page by page', async () => {
    const whole = await exported({});
    for (const size of [1, 2, 3]) expect(await exported({}, size)).toBe(whole);
  });

  it('selects by time and control', async () => {
    const inJanuary = readCsv(await exported({ selection: { from: january, to: february } }));
    expect(inJanuary.map(({ seq }) => seq)).toEqual(['1', '2', '3']);
    const asvs = readCsv(await exported({ control: 'asvs-7.4.2' }));
    expect(asvs.map(({ event_type }) => event_type)).toEqual(['account_deactivated', 'account_deactivated']);
    expect(asvs[0]?.controls).toBe('OWASP ASVS 5.0 7.4.2 (evidence)');
  });
});

describe('export as JSON', () => {
  it('is one document with the controls explained', async () => {
    const document = JSON.parse(await exported({ format: 'json', selection: { from: february } }));
    expect(document).toMatchObject({ schemaVersion: 1, from: '2026-02-15T00:00:00.000Z', to: null });
    expect(document.controls['cis-5.3'].thresholdDays).toBe(45);
    expect(document.events).toHaveLength(3);
    expect(document.events[1].controls).toContainEqual({
      control: 'pci-8.2.6',
      role: 'evidence',
      why: 'the account was disabled for inactivity',
    });
  });

  it('is a valid document without events', async () => {
    expect(JSON.parse(await exported({ format: 'json', selection: { from: now } })).events).toEqual([]);
  });
});

describe('the command line', () => {
  let desk: Desk;
  let operator: Operator;
  beforeAll(async () => {
    // Elsewhere, because the log of this database has the rows of this file only.
    desk = await openDesk({
      postgresUrl: database.url,
      credentialsUrl: inject('stack').postgres.runtimeUrl,
    });
    operator = await desk.operator();
  });
  afterAll(() => desk.close());
  const run = async (...args: string[]) =>
    promisify(execFile)(process.execPath, [compiled('src/cli.ts'), 'audit', ...args], {
      cwd: projectDirectory,
      env: {
        ...{ ...process.env, ...inject('environment'), DORMOUSE_POSTGRES_URL: database.url },
        ...operator.environment,
      },
    });

  it('exports to the standard output and to a new file for its owner, and never overwrites one', async () => {
    const { stdout } = await run('export', '--control', 'pci-8.2.6', '--from', '2026-02-01');
    expect(readCsv(stdout)).toHaveLength(2);
    const out = join(directory, 'audit.csv');
    await run('export', '--control', 'pci-8.2.6', '--from', '2026-02-01', '--out', out);
    expect(await readFile(out, 'utf8')).toBe(stdout);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    await expect(run('export', '--out', out)).rejects.toMatchObject({
      stderr: expect.stringContaining('EEXIST'),
    });
    await expect(run('export', '--from', 'yesterday')).rejects.toMatchObject({
      stderr: expect.stringContaining('--from: is no day or time that there is'),
    });
    await expect(run('export', '--from', '2026-02-02', '--to', '2026-02-01')).rejects.toMatchObject({
      stderr: expect.stringContaining('--to: is before --from'),
    });
  });

  it('signs, exports heads and verifies; exits 1 with the row when the log is broken', async () => {
    const signed = JSON.parse((await run('sign')).stdout);
    expect(signed).toMatchObject({ seq: 6 });
    expect(JSON.parse((await run('heads', 'export')).stdout)).toEqual(signed);
    expect((await run('verify')).stdout).toContain('6 rows, the chain is whole; 1 signed heads fit');
    await pool.query('ALTER TABLE audit DISABLE TRIGGER ALL');
    await pool.query("UPDATE audit SET actor = 'x' WHERE seq = 4");
    await expect(run('verify')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('broken at row 4: its column actor'),
    });
    await pool.query("UPDATE audit SET actor = 'engine' WHERE seq = 4");
    await pool.query('ALTER TABLE audit ENABLE TRIGGER ALL');
    const key = JSON.parse((await run('keygen')).stdout);
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', d: expect.any(String) });
    expect(JSON.parse((await run('public-key')).stdout)).not.toHaveProperty('d');
  });
});

describe('the report', () => {
  const days = (count: number) => now - count * dayMs;
  async function stand(stage: Stage, lastActiveAt: number, blocked?: 'hold' | 'exempt'): Promise<string> {
    const identityId = unknownId();
    const why = 'a test';
    const policy = { id: 'report', version: 1, hash: '' };
    const rest = {
      activity: {},
      why,
      notices: [],
      completed: {},
      warnings: [],
      offBottom: true,
      signalWindowMs: 0,
    };
    await writeStanding(
      pool,
      {
        schemaVersion: 1,
        identityId,
        stage,
        since: 0,
        lastActiveAt,
        policy,
        ...rest,
        ...(blocked && { blocked: { by: blocked, why } }),
      },
      1,
    );
    return identityId;
  }

  it('counts actions, names policies by hash, and lists accounts over a threshold that can still sign in', async () => {
    const policy = await publish(pool, slowPolicy('report'), january);
    const longest = await stand('revoked', days(91));
    await stand('active', days(91), 'hold');
    await stand('warned', days(46));
    // None of these: seen since, disabled, gone, or within the time.
    const seen = await stand('active', days(100));
    await recordSigns(pool, [{ identityId: seen, kind: 'token', at: days(1), source: 'test' }]);
    await stand('deactivated', days(400));
    await stand('deleted', days(800));
    await buryIdentity(pool, await stand('revoked', days(500)), undefined, now);
    await stand('active', days(44));

    const report = await buildReport(pool, {
      selection: { from: february },
      limit: 2,
      now,
      organisationDays: 30,
    });
    expect(report.actions).toEqual(
      [...types].sort().map((eventType) => ({ period: '2026-02', eventType, outcome: 'done', count: 1 })),
    );
    expect(report.policies).toMatchObject([{ ...policy, latest: true, accounts: 6 }]);
    const totals = report.stillIn.map(({ control, days: over, total }) => [control, over, total]);
    expect(totals).toEqual([
      ['nist-ac-2-3', 30, 4],
      ['pci-8.2.6', 90, 2],
      ['cis-5.3', 45, 3],
    ]);
    const pci = report.stillIn.find(({ control }) => control === 'pci-8.2.6');
    expect(pci?.groups).toEqual([
      { stage: 'active', blockedBy: 'hold', count: 1 },
      { stage: 'revoked', blockedBy: null, count: 1 },
    ]);
    expect(pci?.longest.map(({ identityId }) => identityId)).toContain(longest);
    expect(report.stillIn.find(({ control }) => control === 'cis-5.3')?.longest).toHaveLength(2);
    const text = describeReport(report).join('\n');
    expect(text).toContain(
      'PCI DSS 4.0.1 8.2.6: 2 accounts inactive for more than 90 days can still sign in',
    );
    expect(text).toContain(policy.hash);
  });

  it('counts stale credentials by what ended them: the ladder, or the policy of a kind of token', async () => {
    const stale = (type?: string) =>
      auditEntry({ occurredAt: Date.UTC(2026, 3, 15), detail: type === undefined ? {} : { type } });
    await appendAudit(pool, [stale(), stale('personal'), stale('refresh'), stale('personal')]);
    const selection = { from: Date.UTC(2026, 3, 1), to: Date.UTC(2026, 4, 1) };
    const report = await buildReport(pool, { selection, limit: 1, now });
    const line = { period: '2026-04', eventType: 'tokens_revoked_stale', outcome: 'done' };
    expect(report.actions).toEqual([
      { ...line, type: 'ladder', count: 1 },
      { ...line, type: 'personal', count: 2 },
      { ...line, type: 'refresh', count: 1 },
    ]);
    expect(describeReport(report)).toContainEqual(
      expect.stringMatching(/^ {2}2026-04 {2}tokens_revoked_stale \(personal\) +done +2$/),
    );
  });
});
