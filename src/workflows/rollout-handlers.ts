/** The message handlers of a roll-out. */
import { ActivityFailure, ApplicationFailure, condition, setHandler } from '@temporalio/workflow';
import { normalText } from '../domain/free-text.js';
import { highestVersion } from '../domain/names.js';
import { requestKey } from './request-key.js';
import {
  type DecidedRollout,
  type PublishRollout,
  pauseRolloutUpdate,
  publishRolloutUpdate,
  type RollBack,
  type RolloutProgress,
  resumeRolloutUpdate,
  rollBackUpdate,
  rolloutQuery,
} from './rollout-messages.js';
import type { RolloutOutside } from './rollout-outside.js';
import type { RolloutRun } from './rollout-state.js';
import { checkActor, checkReason, refuse } from './validation.js';

export function registerRolloutHandlers(run: RolloutRun, outside: RolloutOutside): void {
  setHandler(rolloutQuery, () => run.progress);
  setHandler(publishRolloutUpdate, (update) => publish(run, update), {
    validator: (update) => validatePublish(update, run),
  });
  setHandler(pauseRolloutUpdate, (update) => pause(run, outside, update), {
    validator: (update) => {
      checkDecision(update);
      refuseWhenDone(run);
      if (run.progress.paused !== undefined) refuse('the roll-out is paused already');
    },
  });
  setHandler(resumeRolloutUpdate, (update) => resume(run, outside, update), {
    validator: (update) => {
      checkDecision(update);
      if (run.progress.paused === undefined) refuse('the roll-out is not paused');
    },
  });
  setHandler(rollBackUpdate, (update) => rollBack(run, outside, update), {
    validator: (update) => validateRollBack(update, run),
  });
}

function publish(run: RolloutRun, { version }: PublishRollout): RolloutProgress {
  if (version > run.progress.version) run.retarget(version, Date.now());
  return run.progress;
}

async function pause(
  run: RolloutRun,
  outside: RolloutOutside,
  { actor, reason }: DecidedRollout,
): Promise<RolloutProgress> {
  const { version } = run.progress;
  run.change({ paused: { actor, reason: normalText(reason), at: Date.now() } });
  // Nobody is woken any more once the operator has the answer.
  await condition(() => !run.isWaking);
  await auditDecision(run, outside, 'policy_rollout_paused', version, { actor, reason });
  return run.progress;
}

async function resume(
  run: RolloutRun,
  outside: RolloutOutside,
  { actor, reason }: DecidedRollout,
): Promise<RolloutProgress> {
  const { version } = run.progress;
  await auditDecision(run, outside, 'policy_rollout_resumed', version, { actor, reason });
  run.resume();
  return run.progress;
}

async function auditDecision(
  run: RolloutRun,
  outside: RolloutOutside,
  eventType: 'policy_rollout_paused' | 'policy_rollout_resumed',
  version: number,
  { actor, reason }: Pick<DecidedRollout, 'actor' | 'reason'>,
): Promise<void> {
  const { policyId } = run.progress;
  await outside.ledger.auditRollout({
    ...{ eventType, policyId, version, actor, reason: normalText(reason) },
    ...{ key: requestKey(), at: Date.now() },
  });
}

async function rollBack(
  run: RolloutRun,
  outside: RolloutOutside,
  { actor, reason, to }: RollBack,
): Promise<RolloutProgress> {
  const { policyId, version } = run.progress;
  const decision = { actor, reason: normalText(reason), at: Date.now(), expected: version };
  try {
    const next = await outside.ask.rollBackPolicy({ policyId, to: to ?? version - 1, decision });
    if (next > run.progress.version) run.retarget(next, Date.now());
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const { cause } = error;
    throw ApplicationFailure.create({
      type: cause instanceof ApplicationFailure ? (cause.type ?? 'Unexpected') : 'Unexpected',
      message:
        cause instanceof ApplicationFailure && cause.nonRetryable === true
          ? cause.message
          : 'the earlier version could not be published, so nothing was changed. Check PostgreSQL, then ask again',
      nonRetryable: true,
    });
  }
  return run.progress;
}

function validatePublish(update: PublishRollout, run: RolloutRun): void {
  const { version } = update ?? {};
  if (!Number.isInteger(version) || version < 1 || version > highestVersion)
    refuse(`version: must be a whole number from 1 to ${highestVersion}`);
  if (version < run.progress.version)
    refuse(`version: ${run.progress.version} is being rolled out already, which is newer`);
}

function validateRollBack(update: RollBack, run: RolloutRun): void {
  checkDecision(update);
  refuseWhenDone(run);
  const { version } = run.progress;
  const { to = version - 1 } = update;
  if (!Number.isInteger(to) || to < 1 || to >= version)
    refuse(`to: must be a version before ${version}, which is being rolled out`);
}

function refuseWhenDone(run: RolloutRun): void {
  if (!run.isDone) return;
  refuse('the roll-out is done. Publish the earlier text as a version of its own: dormouse policy rollback');
}

function checkDecision(update: DecidedRollout): void {
  checkActor(update);
  checkReason(update.reason);
}
