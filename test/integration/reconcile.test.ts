/** Reconciliation on the real stack: starts missing lifecycles, and wakes those of deleted identities. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { progressQuery } from '../../src/workflows/reconcile-messages.js';
import { recordSigns } from '../support/record-signs.js';
import { Sweeps } from '../support/sweeps.js';
import { until } from '../support/until.js';

let sweeps: Sweeps;

beforeAll(async () => {
  sweeps = await Sweeps.open();
  await sweeps.startWorkers();
});
afterAll(() => sweeps.end());

const listPage = /GET \/admin\/identities\?.*page_token=/;

describe('a sweep', () => {
  it('gives 300 identities, half of them enrolled before, exactly one lifecycle each', async () => {
    const identities = await sweeps.createIdentities(300);
    expect(new Set(identities).size).toBe(300);
    await sweeps.enrolAlone(identities.slice(0, 150));
    const total = await sweeps.countIdentities();

    const [first, beside] = await Promise.all([sweeps.reconcile(), sweeps.reconcile()]);

    expect(first.seen).toBe(total);
    expect(beside.seen).toBe(total);
    expect(first.started + beside.started).toBeLessThanOrEqual(total - 150);
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
    await sweeps.projected(identities);
    expect(await sweeps.reconcile()).toMatchObject({
      seen: total,
      started: 0,
      alreadyRunning: total,
      failed: 0,
    });
    await sweeps.clear();
  });

  it('starts the clock of each at the true last sign of life', async () => {
    const [never = ''] = await sweeps.createIdentities(1);
    const signedIn = await sweeps.harness.people.create('pre-existing');
    expect(await sweeps.harness.people.signIn(signedIn)).toBeDefined();
    const reported = await sweeps.harness.people.create('reported');
    expect(await sweeps.harness.people.signIn(reported)).toBeDefined();
    const reportedAt = Date.now();
    await recordSigns(sweeps.harness.pool, [
      { identityId: reported.id, at: reportedAt, kind: 'human', source: 'test' },
    ]);

    await sweeps.reconcile();
    await sweeps.projected([never, signedIn.id, reported.id]);

    const { data: created } = await sweeps.harness.people.identities.getIdentity({ id: never });
    expect((await sweeps.standing(never))?.lastActiveAt).toBe(Date.parse(created.created_at ?? ''));
    const { data: sessions } = await sweeps.harness.people.identities.listIdentitySessions({
      id: signedIn.id,
    });
    const authenticatedAt = Date.parse(sessions[0]?.authenticated_at ?? '');
    expect((await sweeps.standing(signedIn.id))?.lastActiveAt).toBe(authenticatedAt);
    expect((await sweeps.standing(reported.id))?.lastActiveAt).toBe(reportedAt);
  });

  it('wakes the lifecycles of deleted identities, starts a lost one again, and forgets nobody', async () => {
    const identities = await sweeps.createIdentities(6);
    await sweeps.reconcile();
    await sweeps.projected(identities);
    const deleted = identities.slice(0, 4);
    for (const id of deleted) await sweeps.harness.people.identities.deleteIdentity({ id });
    // One of them lost its lifecycle as well.
    const [orphan = ''] = deleted;
    await sweeps.harness.client.workflow.getHandle(lifecycleWorkflowId(orphan)).terminate('test');

    expect(await sweeps.reconcile()).toMatchObject({ gone: 4, started: 0 });

    for (const id of deleted) {
      await until('the lifecycle that misses its identity', async () => {
        const standing = await sweeps.standing(id);
        return standing?.blocked?.by === 'missing' ? standing : undefined;
      });
      expect(await sweeps.statusOf(id)).toBe('RUNNING');
      expect(await isBuried(sweeps.harness.pool, id)).toBe(false);
    }
    for (const id of identities.slice(4)) expect(await sweeps.statusOf(id)).toBe('RUNNING');
    expect(await sweeps.reconcile(), 'until they are buried').toMatchObject({ gone: 4, started: 0 });
    await sweeps.forget(deleted);
  });

  it('takes in pages that are too large in smaller ones, and checks lifecycles in halves', async () => {
    const identities = await sweeps.createIdentities(60);
    // As if each identity held 200 kB: more than 20 of them are too many for one answer.
    const tooLarge = { kind: 'answer', status: 200, body: `["${'x'.repeat(4_100_000)}"]` } as const;
    sweeps.kratos.inject(tooLarge, /identities\?.*page_size=25(&|$)/);
    sweeps.kratos.inject(tooLarge, /identities\?.*page_size=(?:[3-9]\d|1\d\d)(&|$)/);
    const total = await sweeps.countIdentities();
    expect(await sweeps.reconcile()).toMatchObject({ seen: total, started: 60, failed: 0 });
    sweeps.kratos.heal();
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
  });

  it('enrols an id that PostgreSQL takes and RFC 9562 does not; a record without an id is one failure', async () => {
    const [plain = ''] = await sweeps.createIdentities(1);
    const imported = '852e395d-693e-ed11-809a-c971856d9437';
    const body = JSON.stringify([{ id: imported }, { id: 'nobody' }, { id: 7 }, 'text', { id: plain }]);
    sweeps.kratos.inject(
      { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body },
      /identities\?.*page_size=25(&|$)/,
      1,
    );
    expect(await sweeps.reconcile()).toMatchObject({ seen: 5, started: 2, failed: 3 });
    const lifecycle = sweeps.harness.client.workflow.getHandle(lifecycleWorkflowId(imported));
    expect(await lifecycle.result(), 'Kratos does not have it').toMatchObject({ outcome: 'gone' });
  });

  it('leaves identities created behind its cursor to the next sweep', async () => {
    let late: string[] = [];
    const deed = async () => {
      late = await sweeps.createIdentities(5);
    };
    // Lifecycles are checked when the whole directory has been turned.
    sweeps.kratos.inject({ kind: 'meanwhile', deed }, /identities\?.*ids=/, 1);
    expect(await sweeps.reconcile()).toMatchObject({ started: 0 });
    expect(late).toHaveLength(5);
    expect(await sweeps.reconcile()).toMatchObject({ started: 5 });
    expect(await sweeps.withoutExactlyOne(late)).toEqual([]);
  });

  it('goes on at the page where it was after 429, 500, a reset and no answer', async () => {
    const identities = await sweeps.createIdentities(60);
    const since = sweeps.kratos.requests.length;
    const total = await sweeps.countIdentities();
    const answer = (status: number) =>
      ({ kind: 'answer', status, headers: { 'retry-after': '1' }, body: '{"error":{}}' }) as const;
    sweeps.kratos.inject(answer(429), listPage, 1);
    sweeps.kratos.inject(answer(500), listPage, 1);
    sweeps.kratos.inject({ kind: 'reset' }, listPage, 1);
    sweeps.kratos.inject({ kind: 'no-answer' }, listPage, 1);

    expect(await sweeps.reconcile()).toMatchObject({ seen: total, started: 60, failed: 0 });

    const asked = sweeps.pagesAsked(since);
    expect(asked.filter((token) => token === null)).toHaveLength(1);
    expect(asked).toHaveLength(new Set(asked).size + 4);
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
  });

  it('ends nobody when Kratos seems to be empty: each lifecycle looks for itself', async () => {
    const identities = await sweeps.createIdentities(3);
    await sweeps.reconcile();
    await sweeps.projected(identities);
    sweeps.kratos.inject({ kind: 'answer', status: 200, body: '[]' }, /GET \/admin\/identities\?/);
    const result = await sweeps.reconcile();
    sweeps.kratos.heal();
    expect(result.seen).toBe(0);
    expect(result.started).toBe(0);
    expect(result.gone).toBe(result.checked);
    for (const id of identities) {
      const handle = sweeps.harness.client.workflow.getHandle(lifecycleWorkflowId(id));
      await until('the look that the signal caused', async () => {
        const { events } = await handle.fetchHistory();
        const signalled = (events ?? []).findIndex((event) => event.workflowExecutionSignaledEventAttributes);
        if (signalled < 0) return undefined;
        return (events ?? []).slice(signalled).some((event) => event.activityTaskCompletedEventAttributes);
      });
      expect(await sweeps.statusOf(id)).toBe('RUNNING');
    }
    expect((await sweeps.reconcile()).gone).toBe(0);
  });

  it('keeps its history small by continuing as new, and loses no count by it', async () => {
    const identities = await sweeps.createIdentities(60);
    const total = await sweeps.countIdentities();
    const handle = await sweeps.startReconcile({}, { historyLimit: 5, stretchMs: 1 });
    expect(await handle.result()).toMatchObject({ seen: total, started: 60 });
    const latest = sweeps.harness.client.workflow.getHandle(handle.workflowId);
    expect((await latest.describe()).runId).not.toBe(handle.firstExecutionRunId);
    expect(await latest.query(progressQuery)).toMatchObject({
      place: { phase: 'done' },
      counts: { seen: total },
    });
    expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
  });

  it('starts lifecycles again that were terminated, cancelled or lost', async () => {
    const identities = await sweeps.createIdentities(120);
    await sweeps.reconcile();
    await sweeps.projected(identities);
    const [terminated = '', other = ''] = identities;
    for (const id of [terminated, other]) {
      await sweeps.harness.client.workflow.getHandle(lifecycleWorkflowId(id)).terminate('test');
    }
    await until('that Temporal lists them no more', async () => {
      const query = `WorkflowId IN ('${lifecycleWorkflowId(terminated)}', '${lifecycleWorkflowId(other)}') AND ExecutionStatus = 'Running'`;
      return (await sweeps.harness.client.workflow.count(query)).count === 0;
    });
    expect(await sweeps.reconcile()).toMatchObject({ started: 2 });
    for (const id of [terminated, other]) {
      expect(await sweeps.statusOf(id)).toBe('RUNNING');
      await until('its audit entry', async () =>
        (await readAudit(sweeps.harness.pool, id)).some(({ outcome }) => outcome === 'restarted'),
      );
    }
    expect(await sweeps.reconcile({ distrustProjection: true })).toMatchObject({ started: 0 });
  });

  it('starts nothing under a policy that was never published', async () => {
    const [left = ''] = await sweeps.createIdentities(1);
    await expect(sweeps.reconcile({ policyId: 'never-published' })).rejects.toMatchObject({
      cause: { cause: { type: 'UnknownPolicy' } },
    });
    await expect(sweeps.statusOf(left)).rejects.toThrow();
  });

  it('leaves a row of what it did', async () => {
    const handle = await sweeps.startReconcile();
    const result = await handle.result();
    const { rows } = await sweeps.harness.pool.query('SELECT * FROM reconciliation WHERE workflow_id = $1', [
      handle.workflowId,
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0].counts).toMatchObject({ seen: result.seen, started: result.started, gone: 0 });
    expect((await handle.describe()).memo).toMatchObject({ reconciliation: result });
  });
});
