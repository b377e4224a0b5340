/** Publishes what the lifecycle remembers: projection and audit in PostgreSQL, whoami, the Temporal UI. */
import { condition, patched } from '@temporalio/workflow';
import { given } from '../domain/given.js';
import { runningNotices } from '../domain/lifecycle/notice-transitions.js';
import { stageOf } from '../domain/lifecycle/stage.js';
import { withoutAudit, withoutParked, withWarning } from '../domain/lifecycle/transitions.js';
import { carryOut, isRefusedRecord, park } from './carry-out.js';
import type { LifecycleRun } from './lifecycle-run.js';

/** Writes what lags behind, and answers waiting operators. */
export async function settle(run: LifecycleRun): Promise<void> {
  await record(run);
  run.show();
  await publish(run);
  run.answered = run.seen;
}

/** The name under which a record that PostgreSQL refuses is parked. */
export const recordStep = 'record';

/**
 * Settles the end of a lifecycle. The run stays until PostgreSQL took everything:
 * the memory exists nowhere else.
 */
export async function settleAtTheEnd(run: LifecycleRun): Promise<void> {
  await settle(run);
  // guard: records: a life does not end before PostgreSQL took its end
  while (run.state.outbox.length > 0 && patched('refused-end-waits')) {
    await retried(run);
    await settle(run);
  }
}

/** Changes the engine's own tables after the last settling. A refused change is parked. */
export async function untilTaken(run: LifecycleRun, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      // guard: records: what PostgreSQL refuses to forget fails no workflow
      if (!isRefusedRecord(error) || !patched('refused-end-waits')) throw error;
      park(run, recordStep, 'RecordRefused');
    }
    run.show();
    await retried(run);
  }
}

/** Waits for an operator's `retryParked`, the only request that is taken after the end. */
async function retried(run: LifecycleRun): Promise<void> {
  await condition(() => run.state.parked === undefined);
  run.seen = run.requested;
}

async function record(run: LifecycleRun): Promise<void> {
  const standing = run.standing();
  if (!run.needsRecord(standing)) return;
  const { outbox } = run.state;
  const { writtenBefore: previous } = run;
  const revision = Date.now();
  // Former addresses are told after this, so they are kept until then.
  const notices = [...runningNotices(run.state), ...run.moved].map(({ key }) => key);
  try {
    // guard: breaker: a lifecycle says what it wrote before
    await run.outside.ledger.record({
      standing,
      revision,
      ...given({ previous }),
      audit: outbox,
      notices,
    });
  } catch (error) {
    // guard: records: a refused record ends no lifecycle
    if (!isRefusedRecord(error)) throw error;
    // The record stays in memory, and is tried again whenever something else is to be recorded.
    if (run.state.parked === undefined) park(run, recordStep, 'RecordRefused');
    return;
  }
  if (run.state.parked?.step === recordStep) run.state = withoutParked(run.state);
  run.state = { ...withoutAudit(run.state, outbox), recordedAt: revision };
  run.recorded(standing);
}

/**
 * Publishes the stage in whoami where it differs. PostgreSQL has it already, so a failure here stops nothing:
 * operators see a warning, and the next look finds the difference and tries again.
 */
async function publish(run: LifecycleRun): Promise<void> {
  const stage = stageOf(run.state);
  const { identity } = run;
  if (identity === undefined || stage === 'deleted' || identity.publishedStage === stage) return;
  const { parked } = run.state;
  const end = await carryOut(
    run,
    'publish',
    async () => {
      const { identityId, stageSince } = run.state;
      const published = await run.outside.kratos.publishStage({ identityId, stage, since: stageSince });
      if (published === 'refused') run.state = withWarning(run.state, 'metadata-not-published');
      run.identity = { ...identity, publishedStage: stage };
    },
    { interruptible: true },
  );
  if (end === 'parked') {
    run.state = withWarning(withoutParked(run.state), 'metadata-not-published');
    if (parked !== undefined) run.state = { ...run.state, parked };
    run.identity = { ...identity, publishedStage: stage };
  }
}
