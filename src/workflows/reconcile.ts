/**
 * Reconciles Kratos and the lifecycles: starts one for every identity that has none, and wakes those whose
 * identity is gone. Decides no rung. Safe to kill, to repeat, and to run beside another one.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { LedgerActivities } from '../activities/ledger.js';
import type { ReconcileActivities } from '../activities/reconcile.js';
import { activityQueue } from './queues.js';
import {
  noCounts,
  progressQuery,
  type ReconcileInput,
  type ReconcileProgress,
  type ReconcileResult,
} from './reconcile-messages.js';

const historyLimit = 200;
/**
 * One activity works about this long: short enough that its end reports the sweep's progress. Milliseconds.
 */
const stretchMs = 10_000;

/**
 * @returns what was done.
 * @throws UnknownPolicy before anything is started under a policy that was never published
 */
export async function reconcile(input: ReconcileInput): Promise<ReconcileResult> {
  const { options } = input;
  const { sweep, ledger } = outside();
  let progress: ReconcileProgress = input.progress ?? {
    place: { phase: 'identities' },
    counts: noCounts,
    preview: {},
    startedAt: Date.now(),
  };
  setHandler(progressQuery, () => progress);
  setCurrentDetails(detailsOf(progress));
  if (input.progress === undefined) {
    await ledger.checkPolicy({ policyChoice: { id: options.policyId } });
    const expected = await sweep.countIdentities();
    if (expected !== undefined) progress = { ...progress, expected };
  }
  while (progress.place.phase !== 'done') {
    const { place, counts, preview, mails } = progress;
    const position = await sweep.reconcilePages({
      options,
      taskQueue: workflowInfo().taskQueue,
      position: { place, counts, preview, ...(mails && { mails }) },
      forMs: input.stretchMs ?? stretchMs,
    });
    progress = { ...progress, ...position };
    setCurrentDetails(detailsOf(progress));
    if (progress.place.phase !== 'done' && isFull(input)) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof reconcile>({ ...input, progress });
    }
  }
  const result = resultOf(input, progress);
  const { workflowId, firstExecutionRunId } = workflowInfo();
  if (!options.dryRun) await sweep.recordReconciliation({ workflowId, runId: firstExecutionRunId, result });
  upsertMemo({ reconciliation: result });
  return result;
}

function outside(): { sweep: ReconcileActivities; ledger: LedgerActivities } {
  const base = workflowInfo().taskQueue;
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;
  return {
    sweep: proxyActivities<ReconcileActivities>({
      taskQueue: activityQueue(base, 'kratos'),
      startToCloseTimeout: '30m',
      // Longer than one call to Kratos may take. Each page sends several heartbeats.
      heartbeatTimeout: '20s',
      retry,
    }),
    ledger: proxyActivities<LedgerActivities>({
      taskQueue: activityQueue(base, 'ledger'),
      startToCloseTimeout: '1m',
      retry,
    }),
  };
}

function isFull(input: ReconcileInput): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength > (input.historyLimit ?? historyLimit) || continueAsNewSuggested;
}

function resultOf(input: ReconcileInput, progress: ReconcileProgress): ReconcileResult {
  const { counts, preview, mails, startedAt } = progress;
  const { dryRun } = input.options;
  return {
    schemaVersion: 1,
    dryRun,
    ...counts,
    preview,
    ...(mails && { mails }),
    startedAt,
    endedAt: Date.now(),
  };
}

/** For the workflow's page in the Temporal UI. */
function detailsOf({ place, counts, expected, startedAt, preview }: ReconcileProgress): string {
  const seconds = Math.max(0, Math.round((Date.now() - startedAt) / 1_000));
  const lines = [
    `**Phase:** ${place.phase}, after ${seconds} s`,
    `**Identities seen:** ${counts.seen}${expected === undefined ? '' : ` of about ${expected}`}`,
    `**Lifecycles started:** ${counts.started}; already running: ${counts.alreadyRunning}`,
    `**Lifecycles checked:** ${counts.checked}; identity gone: ${counts.gone}`,
    `**Failed:** ${counts.failed}`,
  ];
  for (const [kind, count] of Object.entries(preview)) lines.push(`**Overdue for ${kind}:** ${count}`);
  return lines.join('\n\n');
}
