/**
 * Takes a version of a policy to the people who are due earlier by it: wakes their lifecycles, at a bounded
 * rate. Everybody else takes it up at their next look. Decides no rung. Safe to kill and to repeat.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { registerRolloutHandlers } from './rollout-handlers.js';
import type { RolloutInput, RolloutPosition, RolloutProgress } from './rollout-messages.js';
import { type RolloutOutside, rolloutOutside } from './rollout-outside.js';
import { RolloutRun } from './rollout-state.js';

const historyLimit = 200;
const stretchMs = 10_000;
const defaultPerSecond = 20;
/** No decision of a lifecycle rests on a look older than ten minutes. */
const defaultSettleMs = 15 * 60_000;

/** @returns how far the roll-out came, after all that it was told to do */
export async function policyRollout(input: RolloutInput): Promise<RolloutProgress> {
  const run = new RolloutRun(input, Date.now());
  const outside = rolloutOutside();
  registerRolloutHandlers(run, outside);
  try {
    do {
      await rollOut(run, outside, input);
      // A newer version may arrive while the end is written.
      await condition(allHandlersFinished);
    } while (!run.isDone || !run.isKept);
    return run.progress;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      // guard: roll-out: what was cancelled stays cancelled
      await outside.ledger.recordRollout({ progress: run.progress, isCancelled: true });
      await condition(allHandlersFinished);
    });
    throw error;
  }
}

async function rollOut(run: RolloutRun, outside: RolloutOutside, input: RolloutInput): Promise<void> {
  for (;;) {
    await keep(run, outside);
    setCurrentDetails(detailsOf(run.progress));
    if (run.isDone && run.isKept) return;
    if (!run.isKept) continue;
    if (isFull(input) && allHandlersFinished()) await renew(run, input);
    const { version, paused } = run.progress;
    if (paused !== undefined) {
      await condition(() => run.progress.paused === undefined || run.progress.version !== version);
      continue;
    }
    if (await settles(run, input)) continue;
    const position = await stretch(run, outside, input);
    if (position !== undefined) run.advance(version, position);
  }
}

/** Writes the state to PostgreSQL. A change that arrives meanwhile is written in the next turn. */
async function keep(run: RolloutRun, outside: RolloutOutside): Promise<void> {
  if (run.isKept) return;
  run.isKept = true;
  await outside.ledger.recordRollout({ progress: run.progress });
}

/** Waits until no lifecycle can still fall asleep by a look from before the start. @returns whether something came between */
async function settles(run: RolloutRun, { settleMs = defaultSettleMs }: RolloutInput): Promise<boolean> {
  const { place, startedAt, version } = run.progress;
  if (place.phase !== 'late' || place.after !== undefined) return false;
  const left = startedAt + settleMs - Date.now();
  if (left <= 0) return false;
  const summary = 'looks that began before the publication end';
  return condition(() => run.isInterrupted(version), left, { summary });
}

/** One activity. It ends early when the roll-out is paused, or goes on to a newer version. */
async function stretch(
  run: RolloutRun,
  { waking }: RolloutOutside,
  input: RolloutInput,
): Promise<RolloutPosition | undefined> {
  const { policyId, version, place, counts, startedAt } = run.progress;
  const scope = new CancellationScope({ cancellable: true });
  let isOver = false;
  const watching = CancellationScope.nonCancellable(async () => {
    // guard: roll-out: a pause is answered when the last signal is out
    await condition(() => isOver || run.isInterrupted(version));
    if (!isOver) scope.cancel();
  });
  run.isWaking = true;
  try {
    return await scope.run(() =>
      waking.wakeEarlier({
        ...{ policyId, version, startedAt, position: { place, counts } },
        perSecond: input.perSecond ?? defaultPerSecond,
        forMs: input.stretchMs ?? stretchMs,
      }),
    );
  } catch (error) {
    // Cancelled between two attempts: the pages since the last report are read again.
    if (isCancellation(error) && run.isInterrupted(version)) return undefined;
    throw error;
  } finally {
    isOver = true;
    run.isWaking = false;
    await watching;
  }
}

function isFull({ historyLimit: limit = historyLimit }: RolloutInput): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength > limit || continueAsNewSuggested;
}

function renew(run: RolloutRun, input: RolloutInput): Promise<never> {
  const { progress } = run;
  return continueAsNew<typeof policyRollout>({ ...input, version: progress.version, progress });
}

/** For the workflow's page in the Temporal UI. */
function detailsOf({ policyId, version, place, counts, paused }: RolloutProgress): string {
  return [
    `**Policy:** ${policyId}, version ${version}`,
    `**Phase:** ${paused === undefined ? place.phase : `paused by ${paused.actor}: ${paused.reason}`}`,
    `**Sleeping lifecycles read:** ${counts.seen}; due earlier: ${counts.earlier}`,
    `**Woken:** ${counts.woken}; failed: ${counts.failed}`,
  ].join('\n\n');
}
