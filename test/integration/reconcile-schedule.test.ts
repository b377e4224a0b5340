/** The schedule that reconciles: created once, brought up to date, and an operator's pause is respected. */
import { ScheduleNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureReconcileSchedule, type ReconcileConfig } from '../../src/reconciliation/schedule.js';
import { reconcileScheduleId } from '../../src/workflows/reconcile-messages.js';
import { Sweeps } from '../support/sweeps.js';
import { until } from '../support/until.js';

let sweeps: Sweeps;

beforeAll(async () => {
  sweeps = await Sweeps.open();
  await sweeps.startWorkers();
});
afterAll(async () => {
  await schedule().delete();
  await sweeps.end();
});

const schedule = () => sweeps.harness.client.schedule.getHandle(reconcileScheduleId(sweeps.taskQueue));
const config = (every: string, rate = 1_000): ReconcileConfig => ({
  DORMOUSE_TASK_QUEUE: sweeps.taskQueue,
  DORMOUSE_POLICY_ID: 'default',
  DORMOUSE_RECONCILE_EVERY: every,
  DORMOUSE_RECONCILE_RATE: rate,
  DORMOUSE_RECONCILE_KRATOS_RATE: 100,
});

it('is not created where it is off', async () => {
  await ensureReconcileSchedule(sweeps.harness.client, config('off'));
  await expect(schedule().describe()).rejects.toBeInstanceOf(ScheduleNotFoundError);
});

it('is created once by many workers, skips what would overlap, and follows the configuration', async () => {
  await Promise.all([1, 2, 3].map(() => ensureReconcileSchedule(sweeps.harness.client, config('1h'))));
  const created = await schedule().describe();
  expect(created.spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  expect(created.spec.jitter).toBe(360_000);
  expect(created.policies.overlap).toBe('SKIP');

  await ensureReconcileSchedule(sweeps.harness.client, {
    ...config('2h', 7),
    DORMOUSE_POLICY_ID: 'corporate',
  });
  const { spec, action } = await schedule().describe();
  expect(spec.intervals).toMatchObject([{ every: 7_200_000 }]);
  expect(action.args).toMatchObject([
    { options: { policyId: 'corporate', startsPerSecond: 7, dryRun: false } },
  ]);
});

it('runs a reconciliation', async () => {
  const [identityId = ''] = await sweeps.createIdentities(1);
  // The directory holds whatever other tests left there: a sweep at the rate of the test before would take minutes.
  await ensureReconcileSchedule(sweeps.harness.client, config('7d'));
  await schedule().trigger();
  const workflowId = await until('the run', async () => {
    const { info } = await schedule().describe();
    return info.recentActions.at(-1)?.action.workflow.workflowId;
  });
  const result = await sweeps.harness.client.workflow.getHandle(workflowId).result();
  expect(result).toMatchObject({ schemaVersion: 1, failed: 0 });
  expect(await sweeps.statusOf(identityId)).toBe('RUNNING');
});

it('stays paused when an operator paused it, and only then', async () => {
  await ensureReconcileSchedule(sweeps.harness.client, config('off'));
  expect((await schedule().describe()).state.paused).toBe(true);
  await ensureReconcileSchedule(sweeps.harness.client, config('1h'));
  expect((await schedule().describe()).state.paused).toBe(false);
  await schedule().pause('migration of Kratos');
  await ensureReconcileSchedule(sweeps.harness.client, config('1h'));
  expect((await schedule().describe()).state).toMatchObject({ paused: true, note: 'migration of Kratos' });
});
