/** Leaves a long history behind: the run continues as new with its memory. Only this file decides when. */
import { allHandlersFinished, condition, continueAsNew, patched, workflowInfo } from '@temporalio/workflow';
import { dayMs } from '../domain/duration.js';
import type { LifecycleRun } from './lifecycle-run.js';
import type { LifecycleInput, LifecycleWorkflow } from './messages.js';

/** A cold wake-up at 2,000 events takes 5 to 10 times as long as at 200 (measured; docs/architecture.md). */
const historyLimit = 200;
/** Temporal ends a run at 10,000 signals, and `continueAsNewSuggested` does not count them. */
const messageLimit = 2_000;

/**
 * Builds need not know for years how an earlier one behaved, so that changes of course can
 * be retired (docs/upgrades.md).
 */
const longestRunMs = 60 * dayMs;

/** How long the run may still sleep before its age calls for a new run, milliseconds. */
export function sleepLeft({ runAgeLimitMs = longestRunMs }: LifecycleInput): number {
  if (runAgeLimitMs === 0) return Number.POSITIVE_INFINITY;
  return Math.max(1, workflowInfo().runStartTime.getTime() + runAgeLimitMs - Date.now());
}

/** Checked only when a run is awake anyway. */
function isAged({ runAgeLimitMs = longestRunMs }: LifecycleInput): boolean {
  const age = Date.now() - workflowInfo().runStartTime.getTime();
  return runAgeLimitMs > 0 && age >= runAgeLimitMs && patched('aged-runs-renew');
}

/** Whether the run should continue in a fresh history as soon as it can. */
export function isFull(run: LifecycleRun, input: LifecycleInput): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return (
    historyLength > (input.historyLimit ?? historyLimit) ||
    continueAsNewSuggested ||
    run.received > messageLimit
  );
}

/**
 * Continues as new where the history is full or old. Call it in each turn, after everything is written and
 * all waiting requests are answered, so that no path of the main loop can grow a history without end.
 * @returns false where a new request waits for another turn
 */
export async function renewIfFull(run: LifecycleRun, input: LifecycleInput): Promise<boolean> {
  const isDue = isFull(run, input) || isAged(input);
  if (!isDue || !patched('full-runs-renew-in-each-turn')) return true;
  return renew(run, input);
}

/** The same before a sleep, for runs that did it there before {@link renewIfFull} existed. */
export async function renewBeforeSleep(run: LifecycleRun, input: LifecycleInput): Promise<void> {
  if (run.attention || !(isFull(run, input) || isAged(input))) return;
  if (patched('full-runs-renew-in-each-turn')) {
    await renew(run, input);
    return;
  }
  await condition(allHandlersFinished);
  if (!run.attention) await startFresh(run, input);
}

async function renew(run: LifecycleRun, input: LifecycleInput): Promise<boolean> {
  // A handler may itself wait for the main loop. This condition keeps the two from waiting for each other.
  // guard: a run that continues as new lets in who comes meanwhile
  await condition(() => allHandlersFinished() || run.attention);
  if (!allHandlersFinished()) return false;
  return startFresh(run, input);
}

function startFresh(run: LifecycleRun, input: LifecycleInput): Promise<never> {
  const { state: _old, activity: _enrolled, ...constant } = input;
  return continueAsNew<LifecycleWorkflow>({
    ...constant,
    policy: run.state.policyChoice,
    state: run.state,
  });
}
