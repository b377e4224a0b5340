/**
 * Refuses invalid updates and signals before they enter history. Synchronous, as Temporal requires. Errors
 * name the field, the problem and the way out, and repeat no value that could be personal data.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import type { FoundIdentity } from '../domain/lifecycle/assessment.js';
import { chooseHold, holdKindProblem, holdProblem } from '../domain/lifecycle/holds.js';
import { nextLinkAt } from '../domain/lifecycle/link-request.js';
import { unskippable } from '../domain/lifecycle/skip.js';
import { stageOf } from '../domain/lifecycle/stage.js';
import type { LifecycleState } from '../domain/lifecycle/state.js';
import {
  actorProblem,
  highestVersion,
  policyIdPattern,
  reasonProblem,
  selfServiceActor,
} from '../domain/names.js';
import { signKinds } from '../domain/sign-of-life.js';
import type { LifecycleRun } from './lifecycle-run.js';
import {
  type ApplyPolicyUpdate,
  type HoldUpdate,
  lifecycleEnded,
  type ReactivateUpdate,
  type ReleaseUpdate,
  type RetryParkedUpdate,
  type SkipParkedUpdate,
  type UserActivitySignal,
} from './messages.js';
import { mayReactivate } from './steps/self-service.js';

/** @returns what is wrong, or `undefined` */
export function problemOfSignal(signal: UserActivitySignal): string | undefined {
  // The payload may differ from its type at run time. An error here would block the workflow for good.
  if (typeof signal !== 'object' || signal === null) return 'the payload must be one object';
  if (!Number.isFinite(signal.at) || signal.at <= 0) return 'at must be epoch milliseconds';
  if (!signKinds.includes(signal.kind)) return `kind must be one of ${signKinds.join(', ')}`;
  return undefined;
}

/**
 * While the end is being written, nothing more can be done for the lifecycle,
 * and no caller should wait for it.
 */
export function refuseAfterEnd({ hasEnded, isCancelled, state }: LifecycleRun): void {
  // guard: a life whose end is written refuses requests
  if (!hasEnded) return;
  if (isCancelled) {
    refuse(
      'the lifecycle was cancelled in Temporal. Nothing was changed; ask again after the next reconciliation',
      lifecycleEnded,
    );
  }
  const isDeleted = state.rungs.delete?.completedAt !== undefined;
  const what = isDeleted ? 'the identity was deleted' : 'Kratos no longer has the identity';
  refuse(
    `the lifecycle has ended: ${what}. Nothing was changed; there is nothing left to be done`,
    lifecycleEnded,
  );
}

/** One request is allowed after the end: retrying what PostgreSQL refused (settle.ts). */
export function refuseRetryAfterEnd(run: LifecycleRun): void {
  if (run.isCancelled || run.state.parked === undefined) refuseAfterEnd(run);
}

export function validateApplyPolicy(update: ApplyPolicyUpdate): void {
  checkActor(update);
  if (typeof update.policyId !== 'string' || !policyIdPattern.test(update.policyId)) {
    refuse('policyId: is not the id of a policy. Pass the id from the policy file, as "default"');
  }
  const { version } = update;
  const isVersion = Number.isInteger(version) && (version ?? 0) >= 1 && (version ?? 0) <= highestVersion;
  if (version !== undefined && !isVersion) {
    refuse(
      `version: must be a whole number from 1 to ${highestVersion}. Leave it out to follow the latest version`,
    );
  }
}

export function validateHold(update: HoldUpdate, state: LifecycleState, now: number): void {
  checkActor(update);
  checkReason(update.reason);
  const problem = holdProblem(update, (state.holds ?? []).length, now);
  if (problem !== undefined) refuse(problem);
}

export function validateRelease(update: ReleaseUpdate, state: LifecycleState): void {
  checkActor(update);
  checkReason(update.reason);
  const unknown = holdKindProblem(update.kind);
  if (unknown !== undefined) refuse(unknown);
  const chosen = chooseHold(state.holds ?? [], update);
  if ('problem' in chosen) refuse(chosen.problem);
}

export function validateReactivate(update: ReactivateUpdate, run: LifecycleRun): void {
  const { state, identity } = run;
  // Of all callers, only a link in a mail acts for the person.
  if (update.linkFor === undefined || update.actor !== selfServiceActor) checkActor(update);
  checkReason(update.reason);
  if (update.linkFor !== undefined) checkLink(update.linkFor, run);
  if (state.rungs.delete?.completedAt !== undefined) refuse("the identity is deleted: it can't come back");
  if (state.rungs.deactivate === undefined) {
    refuse(
      'the engine has not deactivated this identity. After suspension or revocation a fresh sign-in is all it takes',
    );
  }
  if (identity !== undefined && identity.state === 'inactive' && !identity.disabledByEngine) {
    refuse('the identity was disabled by hand in Kratos. Whoever did that enables it there');
  }
}

function checkLink(linkFor: number, run: LifecycleRun): void {
  if (stageOf(run.state) !== 'deactivated' || run.state.stageSince !== linkFor) {
    refuse('the link was made for a deactivation that has ended. Ask for a new one');
  }
  refuseUnlessAllowed(run);
}

/** Before the first look the identity is not known. The main loop checks again after each look. */
function refuseUnlessAllowed(run: LifecycleRun): void {
  if (!run.hasLooked || mayReactivate(run)) return;
  refuse('the person may not return by themselves. An operator can reactivate');
}

export function validateRequestReactivationLink(run: LifecycleRun, now: number): void {
  refuseUnlessAllowed(run);
  const next = nextLinkAt(run.state);
  if (now < next) {
    refuse(`a link was mailed a while ago. Use that one, or ask again after ${new Date(next).toISOString()}`);
  }
}

export function validateRetryParked(update: RetryParkedUpdate, state: LifecycleState): void {
  checkActor(update);
  if (state.parked === undefined) refuse('no step is parked');
}

export function validateSkipParked(
  update: SkipParkedUpdate,
  state: LifecycleState,
  identity: FoundIdentity | undefined,
): void {
  checkActor(update);
  checkReason(update.reason);
  const problem = unskippable(state.parked, identity);
  if (problem !== undefined) refuse(problem);
}

export function checkActor(update: { readonly actor: unknown }): void {
  if (typeof update !== 'object' || update === null)
    refuse('the payload must be one object. See messages.ts');
  const problem = actorProblem(update.actor);
  if (problem !== undefined) refuse(`actor: ${problem}`);
}

export function checkReason(reason: unknown): void {
  const problem = reasonProblem(reason);
  if (problem !== undefined) refuse(`reason: ${problem}`);
}

export function refuse(message: string, type = 'InvalidRequest'): never {
  throw ApplicationFailure.create({ type, message, nonRetryable: true });
}
