/** Reconciliation on the real stack: starts missing lifecycles, and wakes those of deleted identities. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { isBuried } from '../../src/deletion/tombstones-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { progressQuery } from '../../src/workflows/reconcile-messages.js';
import { recordSigns } from '../support/record-signs.js';
import { until } from '../support/until.js';
import { ReconcileFixture } from './reconcile-fixture.js';

let fixture: ReconcileFixture;

beforeAll(async () => {
  fixture = await ReconcileFixture.begin();
  await fixture.startWorkers();
});
afterAll(() => fixture.end());

const listPage = /GET \/admin\/identities\?.*page_token=/;

describe('a sweep', () => {
  it('gives 300 identities, half of them enrolled before, exactly one lifecycle each', async () => {
    const identities = await fixture.createIdentities(300);
    expect(new Set(identities).size).toBe(300);
    await fixture.enrolAlone(identities.slice(0, 150));
    const total = await fixture.countIdentities();

    const [first, beside] = await Promise.all([fixture.reconcile(), fixture.reconcile()]);

    expect(first.seen).toBe(total);
    expect(beside.seen).toBe(total);
    expect(first.started + beside.started).toBeLessThanOrEqual(total - 150);
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
    await fixture.projected(identities);
    expect(await fixture.reconcile()).toMatchObject({
      seen: total,
      started: 0,
      alreadyRunning: total,
      failed: 0,
    });
  });

  it('starts the clock of each at the true last sign of life', async () => {
    const [never = ''] = await fixture.createIdentities(1);
    const signedIn = await fixture.people.create('pre-existing');
    expect(await fixture.people.signIn(signedIn)).toBeDefined();
    const reported = await fixture.people.create('reported');
    expect(await fixture.people.signIn(reported)).toBeDefined();
    const reportedAt = Date.now();
    await recordSigns(fixture.database.pool, [
      { identityId: reported.id, at: reportedAt, kind: 'human', source: 'test' },
    ]);

    await fixture.reconcile();
    await fixture.projected([never, signedIn.id, reported.id]);

    const { data: created } = await fixture.people.identities.getIdentity({ id: never });
    expect((await fixture.standing(never))?.lastActiveAt).toBe(Date.parse(created.created_at ?? ''));
    const { data: sessions } = await fixture.people.identities.listIdentitySessions({ id: signedIn.id });
    const authenticatedAt = Date.parse(sessions[0]?.authenticated_at ?? '');
    expect((await fixture.standing(signedIn.id))?.lastActiveAt).toBe(authenticatedAt);
    expect((await fixture.standing(reported.id))?.lastActiveAt).toBe(reportedAt);
  });

  it('wakes the lifecycles of deleted identities, starts a lost one again, and forgets nobody', async () => {
    const identities = await fixture.createIdentities(6);
    await fixture.reconcile();
    await fixture.projected(identities);
    const deleted = identities.slice(0, 4);
    for (const id of deleted) await fixture.people.identities.deleteIdentity({ id });
    // One of them lost its lifecycle as well.
    const [orphan = ''] = deleted;
    await fixture.client.workflow.getHandle(lifecycleWorkflowId(orphan)).terminate('test');

    expect(await fixture.reconcile()).toMatchObject({ gone: 4, started: 0 });

    for (const id of deleted) {
      await until('the lifecycle that misses its identity', async () => {
        const standing = await fixture.standing(id);
        return standing?.blocked?.by === 'missing' ? standing : undefined;
      });
      expect(await fixture.statusOf(id)).toBe('RUNNING');
      expect(await isBuried(fixture.database.pool, id)).toBe(false);
    }
    for (const id of identities.slice(4)) expect(await fixture.statusOf(id)).toBe('RUNNING');
    expect(await fixture.reconcile(), 'until they are buried').toMatchObject({ gone: 4, started: 0 });
    await fixture.forget(deleted);
  });

  it('takes in pages that are too large in smaller ones, and checks lifecycles in halves', async () => {
    const identities = await fixture.createIdentities(60);
    // As if each identity held 200 kB: more than 20 of them are too many for one answer.
    const tooLarge = { kind: 'answer', status: 200, body: `["${'x'.repeat(4_100_000)}"]` } as const;
    fixture.proxy.inject(tooLarge, /identities\?.*page_size=25(&|$)/);
    fixture.proxy.inject(tooLarge, /identities\?.*page_size=(?:[3-9]\d|1\d\d)(&|$)/);
    const total = await fixture.countIdentities();
    expect(await fixture.reconcile()).toMatchObject({ seen: total, started: 60, failed: 0 });
    fixture.proxy.heal();
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
  });

  it('enrols an id that PostgreSQL takes and RFC 9562 does not; a record without an id is one failure', async () => {
    const [plain = ''] = await fixture.createIdentities(1);
    const imported = '852e395d-693e-ed11-809a-c971856d9437';
    const body = JSON.stringify([{ id: imported }, { id: 'nobody' }, { id: 7 }, 'text', { id: plain }]);
    fixture.proxy.inject(
      { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body },
      /identities\?.*page_size=25(&|$)/,
      1,
    );
    expect(await fixture.reconcile()).toMatchObject({ seen: 5, started: 2, failed: 3 });
    const lifecycle = fixture.client.workflow.getHandle(lifecycleWorkflowId(imported));
    expect(await lifecycle.result(), 'Kratos does not have it').toMatchObject({ outcome: 'gone' });
  });

  it('leaves identities created behind its cursor to the next sweep', async () => {
    let late: string[] = [];
    const deed = async () => {
      late = await fixture.createIdentities(5);
    };
    // Lifecycles are checked when the whole directory has been turned.
    fixture.proxy.inject({ kind: 'meanwhile', deed }, /identities\?.*ids=/, 1);
    expect(await fixture.reconcile()).toMatchObject({ started: 0 });
    expect(late).toHaveLength(5);
    expect(await fixture.reconcile()).toMatchObject({ started: 5 });
    expect(await fixture.withoutExactlyOne(late)).toEqual([]);
  });

  it('goes on at the page where it was after 429, 500, a reset and no answer', async () => {
    const identities = await fixture.createIdentities(60);
    const since = fixture.proxy.requests.length;
    const total = await fixture.countIdentities();
    const answer = (status: number) =>
      ({ kind: 'answer', status, headers: { 'retry-after': '1' }, body: '{"error":{}}' }) as const;
    fixture.proxy.inject(answer(429), listPage, 1);
    fixture.proxy.inject(answer(500), listPage, 1);
    fixture.proxy.inject({ kind: 'reset' }, listPage, 1);
    fixture.proxy.inject({ kind: 'no-answer' }, listPage, 1);

    expect(await fixture.reconcile()).toMatchObject({ seen: total, started: 60, failed: 0 });

    const asked = fixture.pagesAsked(since);
    expect(asked.filter((token) => token === null)).toHaveLength(1);
    expect(asked).toHaveLength(new Set(asked).size + 4);
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
  });

  it('ends nobody when Kratos seems to be empty: each lifecycle looks for itself', async () => {
    const identities = await fixture.createIdentities(3);
    await fixture.reconcile();
    await fixture.projected(identities);
    fixture.proxy.inject({ kind: 'answer', status: 200, body: '[]' }, /GET \/admin\/identities\?/);
    const result = await fixture.reconcile();
    fixture.proxy.heal();
    expect(result.seen).toBe(0);
    expect(result.started).toBe(0);
    expect(result.gone).toBe(result.checked);
    for (const id of identities) {
      const handle = fixture.client.workflow.getHandle(lifecycleWorkflowId(id));
      await until('the look that the signal caused', async () => {
        const { events } = await handle.fetchHistory();
        const signalled = (events ?? []).findIndex((event) => event.workflowExecutionSignaledEventAttributes);
        if (signalled < 0) return undefined;
        return (events ?? []).slice(signalled).some((event) => event.activityTaskCompletedEventAttributes);
      });
      expect(await fixture.statusOf(id)).toBe('RUNNING');
    }
    expect((await fixture.reconcile()).gone).toBe(0);
  });

  it('keeps its history small by continuing as new, and loses no count by it', async () => {
    const identities = await fixture.createIdentities(60);
    const total = await fixture.countIdentities();
    const handle = await fixture.startReconcile({}, { historyLimit: 5, stretchMs: 1 });
    expect(await handle.result()).toMatchObject({ seen: total, started: 60 });
    const latest = fixture.client.workflow.getHandle(handle.workflowId);
    expect((await latest.describe()).runId).not.toBe(handle.firstExecutionRunId);
    expect(await latest.query(progressQuery)).toMatchObject({
      place: { phase: 'done' },
      counts: { seen: total },
    });
    expect(await fixture.withoutExactlyOne(identities)).toEqual([]);
  });

  it('starts lifecycles again that were terminated, cancelled or lost', async () => {
    const identities = await fixture.createIdentities(120);
    await fixture.reconcile();
    await fixture.projected(identities);
    const [terminated = '', other = ''] = identities;
    for (const id of [terminated, other]) {
      await fixture.client.workflow.getHandle(lifecycleWorkflowId(id)).terminate('test');
    }
    await until('that Temporal lists them no more', async () => {
      const query = `WorkflowId IN ('${lifecycleWorkflowId(terminated)}', '${lifecycleWorkflowId(other)}') AND ExecutionStatus = 'Running'`;
      return (await fixture.client.workflow.count(query)).count === 0;
    });
    expect(await fixture.reconcile()).toMatchObject({ started: 2 });
    for (const id of [terminated, other]) {
      expect(await fixture.statusOf(id)).toBe('RUNNING');
      await until('its audit entry', async () =>
        (await readAudit(fixture.database.pool, id)).some(({ outcome }) => outcome === 'restarted'),
      );
    }
    expect(await fixture.reconcile({ distrustProjection: true })).toMatchObject({ started: 0 });
  });

  it('starts nothing under a policy that was never published', async () => {
    const [left = ''] = await fixture.createIdentities(1);
    await expect(fixture.reconcile({ policyId: 'never-published' })).rejects.toMatchObject({
      cause: { cause: { type: 'UnknownPolicy' } },
    });
    await expect(fixture.statusOf(left)).rejects.toThrow();
  });

  it('leaves a row of what it did', async () => {
    const handle = await fixture.startReconcile();
    const result = await handle.result();
    const { rows } = await fixture.database.pool.query(
      'SELECT * FROM reconciliation WHERE workflow_id = $1',
      [handle.workflowId],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].counts).toMatchObject({ seen: result.seen, started: result.started, gone: 0 });
    expect((await handle.describe()).memo).toMatchObject({ reconciliation: result });
  });
});
