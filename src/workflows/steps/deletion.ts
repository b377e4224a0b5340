/**
 * Deletion in parts: export by the app, the identity itself after a last look, tokens, Dormouse's own data,
 * and the receipt. Failure cases: docs/irreversible-steps.md.
 */

import { ActivityCancellationType, patched, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { DeletionRequest } from '../../activities/kratos-deletion.js';
import type { DeletionReceipt } from '../../deletion/receipt.js';
import type { DeletionPlan, ExportAnswer, ExportHook, ExportRequest } from '../../domain/deletion.js';
import { exportReference } from '../../domain/deletion.js';
import { given } from '../../domain/given.js';
import { inactiveSince } from '../../domain/lifecycle/clock.js';
import { withExported } from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import type { ActOutcome } from '../../looks/last-look.js';
import { carryOut, unlessInterrupted } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { auditDeed, complete, lastLook, stopsHere } from './deeds.js';

export const exportStep = 'export';

/**
 * Lets the app export the data that must be kept. This may take hours, so the main loop looks again after it.
 * @returns whether nothing is left to be exported
 */
export async function exportFirst(run: LifecycleRun, rung: PlanRung): Promise<boolean> {
  const hook = run.plan.deletion?.export;
  if (rung.rung !== 'delete' || hook === undefined || run.identity === undefined) return true;
  const since = inactiveSince(run.state, rung);
  if (run.state.exported?.inactiveSince === since) return true;
  await carryOut(
    run,
    exportStep,
    async () => {
      const answer = await callApp(run, hook, since);
      const reference = referenceOf(answer);
      run.state = withExported(run.state, {
        inactiveSince: since,
        at: Date.now(),
        ...given({ reference }),
      });
      run.audit('data_exported', String(since), 'done', {
        detail: { ...given({ reference }) },
      });
    },
    { interruptible: true, failure: 'ExportFailed' },
  );
  return false;
}

type App = Record<string, (request: ExportRequest) => Promise<ExportAnswer | undefined>>;

async function callApp(run: LifecycleRun, hook: ExportHook, since: number): Promise<unknown> {
  const { retry, deletion } = run.plan;
  const attemptsMs = retry.attempts * (hook.timeoutMs + retry.longestAfterMs);
  const call = proxyActivities<App>({
    taskQueue: hook.taskQueue,
    startToCloseTimeout: hook.timeoutMs,
    // Where no worker polls the queue, no attempt ever starts. This timeout ends that case too.
    scheduleToCloseTimeout: attemptsMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: retry.firstAfterMs,
      backoffCoefficient: 2,
      maximumInterval: retry.longestAfterMs,
      maximumAttempts: retry.attempts,
    },
  })[hook.activity];
  const { identityId } = run.state;
  return call?.({
    schemaVersion: 1,
    identityId,
    action: deletion?.action ?? 'delete',
    key: `${identityId}/${workflowInfo().firstExecutionRunId}/export/${since}`,
  });
}

/** A reference that can't stand in an audit log is left out: the export itself is done. */
function referenceOf(answer: unknown): string | undefined {
  try {
    return exportReference(answer);
  } catch {
    return undefined;
  }
}

export async function deleteForGood(run: LifecycleRun, rung: PlanRung, since: number): Promise<void> {
  const { identityId, policy } = run.state;
  const deletion = run.plan.deletion;
  const request = { ...lastLook(run, rung, since), ...keeping(deletion) };
  const act =
    deletion?.action === 'anonymise'
      ? await run.outside.kratos.anonymiseIdentity(request)
      : await deleteUnlessInterrupted(run, request);
  if (stopsHere(run, rung, act)) return;
  await run.outside.hydra.endTokens({ identityId });
  await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  await run.outside.ledger.bury({
    identityId,
    ...given({ policy }),
    ...(deletion === undefined ? {} : { action: deletion.action }),
    deletedAt: Date.now(),
  });
  const receipt = receiptOf(run);
  const signed = deletion === undefined ? {} : await run.outside.ledger.signReceipt(receipt);
  complete(run, rung);
  const isAnonymised = deletion?.action === 'anonymise';
  auditDeed(run, rung, isAnonymised ? 'account_anonymised' : 'account_deleted', 'done', {
    ...detailOf(receipt),
    ...signed,
  });
}

/**
 * While Kratos is down, the attempts continue for a day or longer. A hold, or a sign of life, must not wait
 * for their end. Where an earlier attempt had its effect, the next look finds the identity gone and the step
 * continues. Anonymising is not interrupted, because the shell could be half made.
 */
function deleteUnlessInterrupted(run: LifecycleRun, request: DeletionRequest): Promise<ActOutcome> {
  const deletion = () => run.outside.kratos.deleteIdentity(request);
  // guard: a deletion that is being tried is called back by a hold
  return patched('deletion-is-called-back') ? unlessInterrupted(run, deletion) : deletion();
}

/** The fields of the policy that the activity needs. */
function keeping(deletion: DeletionPlan | undefined) {
  return {
    ...(deletion?.anonymousTraits === undefined ? {} : { anonymousTraits: deletion.anonymousTraits }),
    ...(deletion?.refuseIdentifiersForMs === undefined
      ? {}
      : { refuseIdentifiersForMs: deletion.refuseIdentifiersForMs }),
  };
}

/** Evidence that this deletion was right: the accepted notices, the cool-down, and the export. */
function receiptOf(run: LifecycleRun): DeletionReceipt {
  const { state, plan } = run;
  const notices = state.notices.filter(
    (notice) => notice.rung === 'delete' && notice.void === undefined && notice.outcome === 'accepted',
  );
  const first = Math.min(...notices.map(({ at }) => at));
  const deactivatedAt = state.rungs.deactivate?.completedAt;
  const reference = state.exported?.reference;
  return {
    identityId: state.identityId,
    action: plan.deletion?.action ?? 'delete',
    deletedAt: Date.now(),
    ...given({ policy: state.policy }),
    inactiveSince: state.rungs.delete?.inactiveSince ?? 0,
    noticesAccepted: notices.length,
    ...(notices.length > 0 ? { firstNoticeAcceptedAt: first } : {}),
    ...given({ deactivatedAt, export: reference }),
  };
}

/** Details that the audit entry does not hold itself. */
function detailOf(receipt: DeletionReceipt): Record<string, string | number> {
  const { identityId: _target, action: _event, deletedAt: _time, policy: _policy, ...detail } = receipt;
  return Object.fromEntries(
    Object.entries(detail).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
