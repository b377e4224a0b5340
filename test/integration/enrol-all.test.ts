/** `dormouse server enrol --all`: preview, take-over, watching and letting be. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { jitterFor } from '../../src/domain/jitter.js';
import { followEnrolAll, startEnrolAll } from '../../src/reconciliation/enrol-all.js';
import { confirmDisablement, intendDisablement } from '../../src/standings/disablements-table.js';
import { enrolAllWorkflowId } from '../../src/workflows/reconcile-messages.js';
import { typed } from '../support/command.js';
import { until } from '../support/until.js';
import { ReconcileFixture, testOptions } from './reconcile-fixture.js';

let fixture: ReconcileFixture;

beforeAll(async () => {
  fixture = await ReconcileFixture.begin();
  await fixture.startWorkers();
});
afterAll(() => fixture.end());

const dormouse = (...args: string[]) => typed(fixture.environment, ['server', ...args]);

class Lines {
  readonly lines: string[] = [];
  write(text: string): void {
    this.lines.push(text);
  }
}

/** Every row of every table. */
async function everyRow(): Promise<Record<string, string[]>> {
  const { pool } = fixture.database;
  const tables = await pool.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables.rows) {
    const found = await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t ORDER BY 1`);
    rows[name] = found.rows.map(({ row }) => row);
  }
  return rows;
}

/** An identity that the engine deactivated, and whose lifecycle is gone. */
async function deactivated(): Promise<void> {
  const { id } = await fixture.people.create('deactivated');
  await fixture.people.identities.patchIdentity({
    id,
    jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
  });
  const { data } = await fixture.people.identities.getIdentity({ id });
  const at = Date.parse(data.state_changed_at ?? '');
  await intendDisablement(fixture.database.pool, id, at - 1, at - 1);
  await confirmDisablement(fixture.database.pool, id, at);
}

describe('enrol --all --dry-run', () => {
  it('leaves every row of every table as it was, starts nothing, and only reads in Kratos', async () => {
    const [identityId = ''] = await fixture.createIdentities(10);
    await deactivated();
    const total = await fixture.countIdentities();
    const since = fixture.proxy.requests.length;
    const before = await everyRow();
    expect(Object.keys(before).length).toBeGreaterThan(30);

    const { exitCode, stdout } = await dormouse(
      'enrol',
      '--all',
      '--dry-run',
      '--rate',
      '1000',
      '--kratos-rate',
      '100',
    );

    expect(stdout).toContain('nothing was changed');
    expect(stdout).toContain(`Seen ${total} identities: 0 have a lifecycle, ${total} would be enrolled.`);
    expect(exitCode).toBe(0);
    expect((await fixture.lifecycles()).size).toBe(0);
    await expect(fixture.statusOf(identityId)).rejects.toThrow();
    expect(await everyRow()).toEqual(before);
    expect(fixture.proxy.requests.slice(since).filter((line) => !line.startsWith('GET '))).toEqual([]);
  });

  it('counts overdue identities by rung, by their last sign of life', async () => {
    // The same people, looked at 100 days from now.
    const taskQueue = `preview-${randomUUID().slice(0, 8)}`;
    await fixture.startWorkers({ taskQueue, clock: { now: async () => Date.now() + 100 * dayMs } });
    const exempt = await fixture.people.create('service', { metadataAdmin: { account_type: 'service' } });
    await fixture.people.create('mailed');
    await fixture.people.create('mailed');
    const admin = await fixture.people.create('disabled');
    await fixture.people.identities.patchIdentity({
      id: admin.id,
      jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
    });

    const handle = await fixture.startReconcile({ dryRun: true }, { taskQueue });
    const { preview, started, mails } = await handle.result();

    expect(preview.revoke).toBeGreaterThanOrEqual(10);
    expect(preview.exempt).toBeGreaterThanOrEqual(1);
    expect(preview['disabled-by-hand']).toBeGreaterThanOrEqual(1);
    expect(Object.values(preview).reduce((sum, count) => sum + count, 0)).toBe(started);
    await expect(fixture.statusOf(exempt.id)).rejects.toThrow();
    // Overdue for a revocation: the warning is the first that they hear, at once. The many have no address.
    const first = mails?.['0'];
    expect((first?.verified ?? 0) + (first?.unverified ?? 0)).toBe(2);
  });
});

describe('enrol --all', () => {
  it('continues when nobody watches any more, and can be watched again', async () => {
    const identities = await fixture.createIdentities(60);
    const options = { ...testOptions, startsPerSecond: 5, pageSize: 10 };
    const system = { client: fixture.client, taskQueue: fixture.taskQueue };
    const workflowId = enrolAllWorkflowId(fixture.taskQueue);
    expect(await startEnrolAll(system, options)).toEqual({ workflowId, started: true });
    expect(await startEnrolAll(system, options)).toEqual({ workflowId, started: false });

    const interrupt = new AbortController();
    const screen = new Lines();
    const watching = followEnrolAll(fixture.client, workflowId, {
      output: screen,
      signal: interrupt.signal,
      everyMs: 20,
    });
    await until('a line of progress', () => screen.lines.some((line) => line.includes('seen')));
    interrupt.abort();
    expect(await watching).toBeUndefined();
    expect((await fixture.client.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING');

    const again = await dormouse('enrol', '--all', '--follow');
    expect(again.stdout).toMatch(/Seen \d+ identities in .* s:\n {2}\d+ lifecycles started/);
    expect(again.exitCode).toBe(0);
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
  });

  it('spreads the first looks, and enrols waiting identities all the same', async () => {
    const identities = await fixture.createIdentities(20);
    const { exitCode, stdout } = await dormouse('enrol', '--all', '--spread', '1h', '--rate', '200');
    expect(stdout).toContain('spread over 1h');
    expect(exitCode).toBe(0);
    for (const id of identities) {
      const handle = fixture.client.workflow.getHandle(lifecycleWorkflowId(id));
      const { events } = await handle.fetchHistory();
      const backoff = events?.[0]?.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff;
      const delayMs = Number(backoff?.seconds ?? 0) * 1_000 + Number(backoff?.nanos ?? 0) / 1e6;
      expect(delayMs).toBe(jitterFor(id, 'enrol', 3_600_000));
    }
    expect(await fixture.reconcile()).toMatchObject({ started: 0 });
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
  });

  it.each([
    [['enrol'], 'name one identity by its id, or pass --all'],
    [['enrol', randomUUID(), '--all'], 'name one identity by its id, or pass --all'],
    [['enrol', randomUUID(), '--dry-run'], '--dry-run and --follow go with --all'],
    [['enrol', '--all', '--spread', 'soon'], '--spread: "soon" is not a duration'],
    [['enrol', '--all', '--rate', '0'], '--rate: "0" is not a number'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await dormouse(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });
});
