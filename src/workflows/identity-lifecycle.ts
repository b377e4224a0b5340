/**
 * The lifecycle of one identity: looks, decides, and does one thing at a time, asleep most of the time. This
 * file has the main loop; the rules are in domain/, the deeds in steps/.
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
import { type Decision, wakesAt } from '../domain/lifecycle/decide.js';
import { runningNotices } from '../domain/lifecycle/notice-transitions.js';
import { initialState, type LifecycleState, presentState } from '../domain/lifecycle/state.js';
import { lookStep } from '../domain/lifecycle/steps.js';
import { temporalActor } from '../domain/names.js';
import { mergeSigns } from '../domain/sign-of-life.js';
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
import { mailKey, warningName } from './steps/mails.js';
import { giveNotice } from './steps/notice.js';
import { comeBack } from './steps/return.js';
import { climb } from './steps/rungs.js';
import { heedPeople, sendReactivationLink } from './steps/self-service.js';
import { nameOfNext } from './visibility.js';

/**
 * A new identity may not be visible yet to the admin API. It counts as unknown only after this many looks.
 */
const looksForUnknown = 3;
const unknownPauseMs = 2_000;
/** A look that began earlier is repeated before any decision rests on it. */
const longestUnseenMs = 600_000;

/**
 * One durable workflow for each identity. A run always continues with the current build (docs/upgrades.md).
 * Changes of course use `patched()`, and the replay corpus under test/histories enforces that.
 * @returns when the lifecycle has ended
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
 * An operator cancelled the workflow in Temporal. A running call has ended by now, and the standing shows its
 * outcome. The next reconciliation starts a new lifecycle, which continues from there.
 */
async function endCancelled(run: LifecycleRun): Promise<void> {
  run.hasEnded = true;
  run.isCancelled = true;
  run.audit('lifecycle_cancelled', 'cancelled', 'cancelled', { actor: temporalActor });
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
      // Usually the identity is there again. The next look tells.
      if (decision.kind === 'bury') continue;
    }
    if (decision.kind !== 'return') {
      await sendReactivationLink(run);
      await settle(run);
      // guard: a full history is left behind in each turn, not only before a sleep
      if (!(await renewIfFull(run, input))) continue;
      // Only once: slow looks must not keep the engine looking forever.
      // guard: second look: an old look is repeated
      looksAgain = !looksAgain && isOld(lookedAt);
      if (looksAgain) continue;
      // Decides again, so that messages received while settling count.
      decision = run.decide();
      // guard: a change of address is followed
      if (mustFollow(run, decision)) {
        await followAddresses(run);
        continue;
      }
    }
    // guard: breaker: who came back gives the place back
    if (decision.kind !== 'rung' && (await giveGrantBack(run))) continue;
    await act(run, input, decision);
    if (decision.kind === 'return') await settle(run);
  }
}

/**
 * A look may take long, and settling waits for PostgreSQL, and for Kratos as long as the policy's retries
 * last. An old look says little about a person who may have come back meanwhile.
 */
function isOld(lookedAt: number): boolean {
  return Date.now() - lookedAt > longestUnseenMs && patched('look-again-after-waiting');
}

function startState(input: LifecycleInput): LifecycleState {
  if (input.state !== undefined) return presentState(input.state);
  const now = Date.now();
  const state = initialState(parseIdentityId(input.identityId), input.policy, now);
  return { ...state, activity: mergeSigns({}, input.activity ?? {}, now) };
}

/** The second look. @returns false when it failed for good and the step is parked */
async function look(run: LifecycleRun): Promise<boolean> {
  run.seen = run.requested;
  run.isUrgent = run.isAsked;
  run.isAsked = false;
  run.attention = false;
  if (run.state.parked?.step === lookStep) return false;
  const end = await carryOut(
    run,
    lookStep,
    async () => {
      await keepHoldsOfBefore(run);
      // An identity back from its burial gets a second look, which then finds what was kept of it.
      if (await lookOnce(run)) await lookOnce(run);
    },
    { interruptible: false },
  );
  return end === 'done';
}

/** @returns whether the identity was buried and is there again */
async function lookOnce(run: LifecycleRun): Promise<boolean> {
  const { identityId, policyChoice } = run.state;
  const { holdChanges } = run;
  const notices = runningNotices(run.state).map(({ key }) => key);
  const warning = warningName(run.state);
  const assessment = await run.outside.kratos.assess({
    identityId,
    policyChoice,
    ...(!run.state.known && { isNew: true as const }),
    ...(notices.length === 0 ? {} : { notices }),
    ...(warning === undefined ? {} : { warning: mailKey(run, warning) }),
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

/**
 * Sleeps until the next step is due or a message wants attention. Continues as new
 * first where the history is long.
 */
async function nap(run: LifecycleRun, input: LifecycleInput, decision: Wait): Promise<void> {
  if (run.state.parked?.step === lookStep) await settle(run);
  await renewBeforeSleep(run, input);
  const woken = () => run.attention || isFull(run, input);
  const sooner = wakesAt(run.situation, decision.until);
  const until = sooner !== decision.until && patched('deactivated-is-looked-at') ? sooner : decision.until;
  const ms = until === undefined ? undefined : Math.max(1, until - Date.now());
  const left = sleepLeft(input);
  // guard: runs: a sleeper wakes when it is old
  const isTooLong = (ms ?? Number.POSITIVE_INFINITY) > left && patched('aged-runs-renew');
  if (isTooLong) await condition(woken, left, { summary: `renewal, then: ${nameOfNext(decision)}` });
  else if (ms === undefined) await condition(woken);
  else await condition(woken, ms, { summary: `next: ${nameOfNext(decision)}` });
}

/** Answers all waiting requests: there is no further turn of the main loop. */
async function answerAll(run: LifecycleRun): Promise<void> {
  // guard: who asked before the end of a life is answered
  run.answered = run.requested;
  await condition(allHandlersFinished);
}

/** From here on no requests are taken. Earlier ones are answered. */
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
