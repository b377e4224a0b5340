/** `dormouse server enrol --all`: preview, take-over, watching and letting be. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dayMs } from '../../src/domain/duration.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { jitterFor } from '../../src/domain/jitter.js';
import { followEnrolAll, startEnrolAll } from '../../src/reconciliation/enrol-all.js';
import { confirmDisablement, intendDisablement } from '../../src/standings/disablements-table.js';
import { enrolAllWorkflowId } from '../../src/workflows/reconcile-messages.js';
import { typed } from '../support/command.js';
import { openKratosDatabase } from '../support/kratos-database.js';
import { bloat, spoil } from '../support/spoiled.js';
import { Sweeps, testOptions } from '../support/sweeps.js';
import { until } from '../support/until.js';

let sweeps: Sweeps;

beforeAll(async () => {
  sweeps = await Sweeps.open();
  await sweeps.startWorkers();
});
afterAll(() => sweeps.end());

const dormouse = (...args: string[]) => typed(sweeps.environment, ['server', ...args]);

class Lines {
  readonly lines: string[] = [];
  write(text: string): void {
    this.lines.push(text);
  }
}

/** Every row of every table. */
async function everyRow(): Promise<Record<string, string[]>> {
  const { pool } = sweeps.harness;
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
  const { id } = await sweeps.harness.people.create('deactivated');
  await sweeps.harness.people.identities.patchIdentity({
    id,
    jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
  });
  const { data } = await sweeps.harness.people.identities.getIdentity({ id });
  const at = Date.parse(data.state_changed_at ?? '');
  await intendDisablement(sweeps.harness.pool, id, at - 1, at - 1);
  await confirmDisablement(sweeps.harness.pool, id, at);
}

describe('enrol --all --dry-run', () => {
  it('leaves every row of every table as it was, starts nothing, and only reads in Kratos', async () => {
    const [identityId = ''] = await sweeps.createIdentities(10);
    await deactivated();
    const total = await sweeps.countIdentities();
    const since = sweeps.kratos.requests.length;
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
    expect((await sweeps.lifecycles()).size).toBe(0);
    await expect(sweeps.statusOf(identityId)).rejects.toThrow();
    expect(await everyRow()).toEqual(before);
    expect(sweeps.kratos.requests.slice(since).filter((line) => !line.startsWith('GET '))).toEqual([]);
  });

  it('counts overdue identities by rung, by their last sign of life', async () => {
    // The same people, looked at 100 days from now.
    const taskQueue = `preview-${randomUUID().slice(0, 8)}`;
    await sweeps.startWorkers({ taskQueue, clock: { now: async () => Date.now() + 100 * dayMs } });
    const exempt = await sweeps.harness.people.create('service', {
      metadataAdmin: { account_type: 'service' },
    });
    await sweeps.harness.people.create('mailed');
    await sweeps.harness.people.create('mailed');
    const admin = await sweeps.harness.people.create('disabled');
    await sweeps.harness.people.identities.patchIdentity({
      id: admin.id,
      jsonPatch: [{ op: 'replace', path: '/state', value: 'inactive' }],
    });

    const handle = await sweeps.startReconcile({ dryRun: true }, { taskQueue });
    const { preview, started, mails } = await handle.result();

    expect(preview.revoke).toBeGreaterThanOrEqual(10);
    expect(preview.exempt).toBeGreaterThanOrEqual(1);
    expect(preview['disabled-by-hand']).toBeGreaterThanOrEqual(1);
    expect(Object.values(preview).reduce((sum, count) => sum + count, 0)).toBe(started);
    await expect(sweeps.statusOf(exempt.id)).rejects.toThrow();
    // Overdue for a revocation: the warning is the first that they hear, at once. The many have no address.
    const first = mails?.['0'];
    expect((first?.verified ?? 0) + (first?.unverified ?? 0)).toBe(2);
  });

  it('counts an identity that can not be read as one failure, and looks at everybody else', async () => {
    const [spoiled = '', bloated = ''] = await sweeps.createIdentities(2);
    const before = await (await sweeps.startReconcile({ dryRun: true })).result();
    expect(before.failed).toBe(0);
    const kratos = openKratosDatabase(inject('stack'));
    await spoil(kratos, spoiled);
    await bloat(kratos, bloated);
    const after = await (await sweeps.startReconcile({ dryRun: true })).result();
    expect(after).toMatchObject({ seen: before.seen, started: before.started - 2, failed: 2 });
    await kratos.query('DELETE FROM identities WHERE id = ANY($1)', [[spoiled, bloated]]);
    await kratos.end();
  });
});

describe('enrol --all', () => {
  it('continues when nobody watches any more, and can be watched again', async () => {
    const identities = await sweeps.createIdentities(60);
    const options = { ...testOptions, startsPerSecond: 5, pageSize: 10 };
    const system = { client: sweeps.harness.client, taskQueue: sweeps.taskQueue };
    const workflowId = enrolAllWorkflowId(sweeps.taskQueue);
    expect(await startEnrolAll(system, options)).toEqual({ workflowId, started: true });
    expect(await startEnrolAll(system, options)).toEqual({ workflowId, started: false });

    const interrupt = new AbortController();
    const screen = new Lines();
    const watching = followEnrolAll(sweeps.harness.client, workflowId, {
      output: screen,
      signal: interrupt.signal,
      everyMs: 20,
    });
    await until('a line of progress', () => screen.lines.some((line) => line.includes('seen')));
    interrupt.abort();
    expect(await watching).toBeUndefined();
    expect((await sweeps.harness.client.workflow.getHandle(workflowId).describe()).status.name).toBe(
      'RUNNING',
    );

    const again = await dormouse('enrol', '--all', '--follow');
    expect(again.stdout).toMatch(/Seen \d+ identities in .* s:\n {2}\d+ lifecycles started/);
    expect(again.exitCode).toBe(0);
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
  });

  it('spreads the first looks, and enrols waiting identities all the same', async () => {
    const identities = await sweeps.createIdentities(20);
    const { exitCode, stdout } = await dormouse('enrol', '--all', '--spread', '1h', '--rate', '200');
    expect(stdout).toContain('spread over 1h');
    expect(exitCode).toBe(0);
    for (const id of identities) {
      const handle = sweeps.harness.client.workflow.getHandle(lifecycleWorkflowId(id));
      const { events } = await handle.fetchHistory();
      const backoff = events?.[0]?.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff;
      const delayMs = Number(backoff?.seconds ?? 0) * 1_000 + Number(backoff?.nanos ?? 0) / 1e6;
      expect(delayMs).toBe(jitterFor(id, 'enrol', 3_600_000));
    }
    expect(await sweeps.reconcile()).toMatchObject({ started: 0 });
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
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
