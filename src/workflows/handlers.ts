/** The message handlers: they change the memory and wake the main loop, which does the work. */

import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  log,
  setHandler,
} from '@temporalio/workflow';
import { normalText } from '../domain/free-text.js';
import { given } from '../domain/given.js';
import { nextLinkRequest } from '../domain/lifecycle/link-request.js';
import { withParkedSkipped } from '../domain/lifecycle/skip.js';
import { offTheBottom } from '../domain/lifecycle/stage.js';
import { lookStep } from '../domain/lifecycle/steps.js';
import {
  withBreakerAskedAtOnce,
  withLinkRequest,
  withoutParked,
  withPolicyChoice,
  withReactivation,
  withSign,
  withUpdateProcessed,
} from '../domain/lifecycle/transitions.js';
import type { Standing } from '../domain/standing.js';
import { typeOf } from './carry-out.js';
import { hold, release } from './holds.js';
import type { LifecycleRun } from './lifecycle-run.js';
import {
  type ApplyPolicyUpdate,
  applyPolicyUpdate,
  holdUpdate,
  lookAgainSignal,
  policyNotChecked,
  type ReactivateUpdate,
  type RetryParkedUpdate,
  reactivateUpdate,
  releaseUpdate,
  requestReactivationLinkUpdate,
  retryParkedUpdate,
  type SkipParkedUpdate,
  skipParkedUpdate,
  standingQuery,
  userActivitySignal,
} from './messages.js';
import { requestKey } from './request-key.js';
import {
  problemOfSignal,
  refuseAfterEnd,
  refuseRetryAfterEnd,
  validateApplyPolicy,
  validateHold,
  validateReactivate,
  validateRelease,
  validateRequestReactivationLink,
  validateRetryParked,
  validateSkipParked,
} from './validation.js';

export function registerHandlers(run: LifecycleRun): void {
  setHandler(standingQuery, () => run.liveStanding());
  setHandler(userActivitySignal, (signal) => {
    run.received += 1;
    const problem = problemOfSignal(signal);
    if (problem !== undefined) {
      log.warn('a sign of life was ignored', { problem });
      return;
    }
    const before = run.inactiveSince;
    run.state = withSign(run.state, signal, Date.now());
    if (run.inactiveSince === before) return;
    // At the bottom of the ladder the running timer stays. When it fires, the
    // workflow sleeps the rest (lazy timer).
    if (offTheBottom(run.state) || run.inProgress !== undefined) run.ask();
    else run.showDetails();
  });
  setHandler(lookAgainSignal, () => {
    run.received += 1;
    // The sender of `lookAgain` may have released the breaker.
    run.state = withBreakerAskedAtOnce(run.state);
    // A look that failed for good waits for an operator, so waking the main loop would change nothing.
    if (run.state.parked?.step !== lookStep) run.attention = true;
  });
  setHandler(applyPolicyUpdate, (update) => once(run, () => applyPolicy(run, update)), {
    validator: (update) => {
      refuseAfterEnd(run);
      validateApplyPolicy(update);
    },
  });
  setHandler(holdUpdate, (update) => once(run, () => hold(run, update)), {
    validator: (update) => unlessRepeated(run, () => validateHold(update, run.state, Date.now())),
  });
  setHandler(releaseUpdate, (update) => once(run, () => release(run, update)), {
    validator: (update) => unlessRepeated(run, () => validateRelease(update, run.state)),
  });
  setHandler(reactivateUpdate, (update) => once(run, () => reactivate(run, update)), {
    validator: (update) => unlessRepeated(run, () => validateReactivate(update, run)),
  });
  setHandler(requestReactivationLinkUpdate, (_request) => once(run, () => requestLink(run)), {
    validator: (_request) => {
      refuseAfterEnd(run);
      validateRequestReactivationLink(run, Date.now());
    },
  });
  setHandler(retryParkedUpdate, (update) => once(run, () => retryParked(run, update), refuseRetryAfterEnd), {
    validator: (update) =>
      unlessRepeated(run, () => validateRetryParked(update, run.state), refuseRetryAfterEnd),
  });
  setHandler(skipParkedUpdate, (update) => once(run, () => skipParked(run, update)), {
    validator: (update) => unlessRepeated(run, () => validateSkipParked(update, run.state, run.identity)),
  });
}

/**
 * Carries out a request once for each update ID, waits until the main loop has acted
 * on it, and answers the standing.
 */
async function once(
  run: LifecycleRun,
  request: () => void | Promise<void>,
  refuse = refuseAfterEnd,
): Promise<Standing> {
  run.received += 1;
  const id = currentUpdateInfo()?.id;
  if (id !== undefined && run.state.processedUpdateIds.includes(id)) return run.standing();
  refuse(run);
  await request();
  if (id !== undefined) run.state = withUpdateProcessed(run.state, id);
  run.requested += 1;
  const mine = run.requested;
  run.ask();
  await condition(() => run.answered >= mine);
  return run.standing();
}

/** A repeated request gets its first answer, although its own effect makes it look invalid now. */
function unlessRepeated(run: LifecycleRun, validate: () => void, refuse = refuseAfterEnd): void {
  const id = currentUpdateInfo()?.id;
  if (id !== undefined && run.state.processedUpdateIds.includes(id)) return;
  refuse(run);
  validate();
}

async function applyPolicy(run: LifecycleRun, update: ApplyPolicyUpdate): Promise<void> {
  const policyChoice = {
    id: update.policyId,
    ...given({ version: update.version }),
  };
  try {
    await run.atOnce.ask.checkPolicy({ policyChoice });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const type = typeOf(error);
    if (type === 'UnknownPolicy' || type === 'PolicyAltered') {
      const message = error.cause?.message ?? 'the policy was never published';
      throw ApplicationFailure.create({ type, message, nonRetryable: true });
    }
    // Temporal takes ten updates at once. One that waits for PostgreSQL without
    // end would keep the others out.
    throw ApplicationFailure.create({
      type: policyNotChecked,
      message: 'the policy could not be looked up, so nothing was changed. Check PostgreSQL, then ask again',
      nonRetryable: true,
    });
  }
  // The check takes up to a minute, and the lifecycle may have ended meanwhile.
  refuseAfterEnd(run);
  run.state = withPolicyChoice(run.state, policyChoice);
  run.audit(
    'policy_applied',
    requestKey(),
    update.version === undefined ? 'latest' : `version ${update.version}`,
    {
      actor: update.actor,
      detail: { policyId: update.policyId },
    },
  );
}

function reactivate(run: LifecycleRun, { actor, reason, linkFor }: ReactivateUpdate): void {
  const selfService = linkFor === undefined ? {} : { selfService: true as const };
  run.state = withReactivation(withoutParked(run.state), {
    actor,
    reason: normalText(reason),
    at: Date.now(),
    ...selfService,
  });
}

function requestLink(run: LifecycleRun): void {
  run.state = withLinkRequest(run.state, nextLinkRequest(run.state, Date.now()));
}

function retryParked(run: LifecycleRun, { actor }: RetryParkedUpdate): void {
  const step = run.state.parked?.step ?? 'none';
  run.state = withoutParked(run.state);
  run.audit('parked_retried', requestKey(), 'done', { actor, detail: { step } });
}

function skipParked(run: LifecycleRun, { actor, reason }: SkipParkedUpdate): void {
  const step = run.state.parked?.step ?? 'none';
  run.state = withParkedSkipped(run.state, run.plan, Date.now());
  run.audit('parked_skipped', requestKey(), 'done', { actor, detail: { step, reason: normalText(reason) } });
}
