/**
 * The lifecycle of one identity: looks, decides, and does one thing at a time, asleep most of the time. Messages and
 * the main loop stand here; rules in domain/, deeds in steps/.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  sleep,
} from '@temporalio/workflow';
import { assertUnreachable } from '../domain/assert.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { type Decision, lookStep, wakesAt } from '../domain/lifecycle/decide.js';
import { initialState, type LifecycleState, presentState } from '../domain/lifecycle/state.js';
import { runningNotices } from '../domain/lifecycle/transitions.js';
import { mergeActivity } from '../domain/sign-of-life.js';
import { carryOut } from './carry-out.js';
import { registerHandlers } from './handlers.js';
import { keepHoldsOfBefore } from './holds.js';
import { LifecycleRun } from './lifecycle-run.js';
import type { LifecycleInput, LifecycleResult } from './messages.js';
import { isFull, renewBeforeSleep, renewIfFull, sleepLeft } from './renewal.js';
import { settle, settleAtTheEnd, untilTaken } from './settle.js';
import { giveGrantBack } from './steps/breaker.js';
import { bury } from './steps/burial.js';
import { followAddresses, mustFollow } from './steps/follow.js';
import { giveNotice } from './steps/notice.js';
import { comeBack } from './steps/return.js';
import { climb } from './steps/rungs.js';
import { heedPeople, sendReactivationLink } from './steps/self-service.js';
import { nameOfNext } from './visibility.js';

/** A new identity may not be visible yet to the admin API that is asked: looks before it counts as unknown. */
const looksForUnknown = 3;
const unknownPauseMs = 2_000;
/** A look that began earlier is repeated before anything is decided by it. */
const longestUnseenMs = 600_000;

/**
 * One durable workflow an identity. A run always goes on with the current build (docs/upgrades.md), and changes of
 * its course go in by `patched()`; the replay corpus under test/histories holds them to it.
 * @returns when the identity is no more
 */
export async function identityLifecycle(input: LifecycleInput): Promise<LifecycleResult> {
  const run = new LifecycleRun(startState(input));
  registerHandlers(run);
  try {
    return await live(run, input);
  } catch (error) {
    if (!isCancellation(error) || !patched('cancellation-is-audited')) throw error;
    await CancellationScope.nonCancellable(() => endCancelled(run));
    throw error;
  }
}

/**
 * Somebody cancelled it in Temporal. A call that was under way has ended by now; the standing says what came of it. The next
 * reconciliation starts a lifecycle again that goes on from there.
 */
async function endCancelled(run: LifecycleRun): Promise<void> {
  run.hasEnded = true;
  run.isCancelled = true;
  run.audit('lifecycle_cancelled', 'cancelled', 'cancelled', { actor: 'temporal' });
  await settle(run);
  await answerAll(run);
}

async function live(run: LifecycleRun, input: LifecycleInput): Promise<LifecycleResult> {
  let looks = 0;
  let looksAgain = false;
  for (;;) {
    const lookedAt = Date.now();
    if (!(await look(run))) {
      await nap(run, input, { kind: 'wait' });
      continue;
    }
    let decision = run.decide();
    if (decision.kind === 'gone' && !run.state.known && looks < looksForUnknown) {
      looks += 1;
      await sleep(unknownPauseMs * looks, { summary: 'Kratos does not know the identity yet' });
      continue;
    }
    if (decision.kind === 'gone' || decision.kind === 'finished') return finish(run, decision);
    if (decision.kind === 'bury') {
      if (await bury(run, decision.missing)) return finish(run, decision);
      decision = run.decide();
      // There again, as a rule: the next look says so.
      if (decision.kind === 'bury') continue;
    }
    if (decision.kind !== 'return') {
      await sendReactivationLink(run);
      await settle(run);
      if (!(await renewIfFull(run, input))) continue;
      // Once: a look that is slow itself must not keep the engine looking for ever.
      looksAgain = !looksAgain && isOld(lookedAt);
      if (looksAgain) continue;
      // Decided again: what came in while settling counts.
      decision = run.decide();
      if (mustFollow(run, decision)) {
        await followAddresses(run);
        continue;
      }
    }
    if (decision.kind !== 'rung' && (await giveGrantBack(run))) continue;
    await act(run, input, decision);
    if (decision.kind === 'return') await settle(run);
  }
}

/**
 * A look may be slow in coming, and settling waits for PostgreSQL, and for Kratos as long as the policy's retries say: what was
 * seen before says little of somebody who may have come back meanwhile.
 */
function isOld(lookedAt: number): boolean {
  return Date.now() - lookedAt > longestUnseenMs && patched('look-again-after-waiting');
}

function startState(input: LifecycleInput): LifecycleState {
  if (input.state !== undefined) return presentState(input.state);
  const now = Date.now();
  const state = initialState(parseIdentityId(input.identityId), input.policy, now);
  return { ...state, activity: mergeActivity({}, input.activity ?? {}, now) };
}

/** The second look. @returns false when it failed for good and the step is parked */
async function look(run: LifecycleRun): Promise<boolean> {
  run.seen = run.requested;
  run.attention = false;
  if (run.state.parked?.step === lookStep) return false;
  const end = await carryOut(
    run,
    lookStep,
    async () => {
      await keepHoldsOfBefore(run);
      // Whoever comes from a burial is looked at once more: what was kept of it is there then.
      if (await lookOnce(run)) await lookOnce(run);
    },
    { interruptible: false },
  );
  return end === 'done';
}

/** @returns whether it was buried, and is there again */
async function lookOnce(run: LifecycleRun): Promise<boolean> {
  const { identityId, policyChoice } = run.state;
  const { holdChanges } = run;
  const notices = runningNotices(run.state).map(({ key }) => key);
  const assessment = await run.outside.kratos.assess({
    identityId,
    policyChoice,
    ...(!run.state.known && { isNew: true as const }),
    ...(notices.length === 0 ? {} : { notices }),
  });
  const first = !run.state.known;
  const postponements = run.state.postponements ?? [];
  run.takeIn(assessment, holdChanges);
  heedPeople(run, postponements);
  if (first && run.state.known) run.auditStart();
  const { buried } = assessment;
  if (buried === undefined || !patched('absence-takes-time')) return false;
  await run.outside.ledger.liftTombstone({ identityId });
  run.audit('identity_reappeared', `buried/${buried.at}`, 'buried', { detail: { buriedAt: buried.at } });
  return true;
}

async function act(run: LifecycleRun, input: LifecycleInput, decision: Decision): Promise<void> {
  switch (decision.kind) {
    case 'return':
      return comeBack(run, decision);
    case 'notice':
      return giveNotice(run, decision);
    case 'rung':
      return climb(run, decision.rung);
    case 'wait':
      return nap(run, input, decision);
    case 'gone':
    case 'bury':
    case 'finished':
      return;
    default:
      return assertUnreachable(decision);
  }
}

type Wait = Extract<Decision, { kind: 'wait' }>;

/** Sleeps until the next step is due or a message wants attention; starts a fresh history first where this one is long. */
async function nap(run: LifecycleRun, input: LifecycleInput, decision: Wait): Promise<void> {
  if (run.state.parked?.step === lookStep) await settle(run);
  await renewBeforeSleep(run, input);
  const woken = () => run.attention || isFull(run, input);
  const sooner = wakesAt(run.situation, decision.until);
  const until = sooner !== decision.until && patched('deactivated-is-looked-at') ? sooner : decision.until;
  const ms = until === undefined ? undefined : Math.max(1, until - Date.now());
  const left = sleepLeft(input);
  const isTooLong = (ms ?? Number.POSITIVE_INFINITY) > left && patched('aged-runs-renew');
  if (isTooLong) await condition(woken, left, { summary: `renewal, then: ${nameOfNext(decision)}` });
  else if (ms === undefined) await condition(woken);
  else await condition(woken, ms, { summary: `next: ${nameOfNext(decision)}` });
}

/** Nobody who asked waits for a turn that does not come any more. */
async function answerAll(run: LifecycleRun): Promise<void> {
  run.answered = run.requested;
  await condition(allHandlersFinished);
}

/** From here on nothing is asked of the lifecycle any more; whoever asked before is answered. */
async function finish(run: LifecycleRun, decision: Decision): Promise<LifecycleResult> {
  const { identityId, policy, known } = run.state;
  run.hasEnded = true;
  const isDeleted = decision.kind === 'finished';
  if (isDeleted) {
    await settleAtTheEnd(run);
  } else if (decision.kind === 'bury') {
    const { since, looks } = decision.missing;
    run.audit('identity_gone', 'gone', 'deleted-elsewhere', { detail: { missingSince: since, looks } });
    await settleAtTheEnd(run);
  } else if (known) {
    run.audit('identity_gone', 'gone', 'deleted-elsewhere');
    const burial = { identityId, ...(policy && { policy }), deletedAt: Date.now() };
    await untilTaken(run, () => run.outside.ledger.bury(burial));
    await settleAtTheEnd(run);
  } else {
    await untilTaken(run, () => run.outside.ledger.forgetUnknown({ identityId }));
  }
  await answerAll(run);
  return { schemaVersion: 1, outcome: isDeleted ? 'deleted' : 'gone' };
}
