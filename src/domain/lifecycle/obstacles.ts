/**
 * What keeps the ladder from moving: one sentence each. The decision rests on the first one that is found; operators see all of them, since
 * each has to go before anything happens. Pure.
 */
import type { ExemptionCause, Plan, PlanRung } from '../plan.js';
import type { RungName } from '../rungs.js';
import { absenceRulesOf, burialAt, type Missing, whyMissing } from './absence.js';
import type { FoundIdentity } from './assessment.js';
import { inactiveSince, scheduleOf } from './clock.js';
import { governingHold, type Hold, kindOfHold } from './holds.js';
import type { Blocked } from './next-step.js';
import type { HeldByBreaker, LifecycleState } from './state.js';
import { lookStep } from './steps.js';

/** How long a state of an older build waits for the breaker, as its history has it. Milliseconds. */
const hourlyMs = 3_600_000;

export function parkedObstacle({ parked }: LifecycleState): Blocked {
  const why =
    parked === undefined
      ? 'parked'
      : `${parked.step} failed for good (${parked.errorType}). ${parked.wayOut}`;
  const since = parked === undefined ? {} : { since: parked.since };
  return { by: 'parked', why, ...since };
}

/** @returns `undefined` where nobody disabled it, or the engine did */
export function disabledObstacle({
  state,
  disabledByEngine,
  stateChangedAt,
}: FoundIdentity): Blocked | undefined {
  if (state !== 'inactive' || disabledByEngine) return undefined;
  const why = 'disabled by hand in Kratos: the engine leaves it alone until somebody enables it';
  return { by: 'disabled-by-admin', why, since: stateChangedAt };
}

export function exemptObstacle(plan: Plan): Blocked | undefined {
  return plan.exempt === undefined ? undefined : { by: 'exempt', why: whyExempt(plan.exempt, plan) };
}

function whyExempt(cause: ExemptionCause, { unclear = [] }: Plan): string {
  if (cause === 'not-understood') {
    const fields = unclear.map((field) => `metadata_admin.${field}`).join(', ');
    return `not understood: ${fields}. It might exempt, so nothing is done`;
  }
  const [by, kind] = cause.split(':');
  return by === 'operator' ? `an operator exempted it (${kind})` : `the policy exempts it (${cause})`;
}

export function holdObstacle(hold: Hold): Blocked {
  const kind = kindOfHold(hold);
  const why = `on ${kind === 'other' ? '' : `${kind} `}hold (${hold.reason}), set by ${hold.actor}`;
  return { by: 'hold', why, since: hold.since };
}

/** @returns `undefined` where the absence is certain and its grace is over */
export function missingObstacle(missing: Missing, plan: Plan, now: number): Blocked | undefined {
  const rules = absenceRulesOf(plan);
  const at = burialAt(missing, rules);
  // guard: absence: nobody is buried by a look that says nothing
  if (at !== undefined && now >= at && missing.doubt === undefined) return undefined;
  return { by: 'missing', why: whyMissing(missing, rules), since: missing.since };
}

/** @returns what holds the rung at the moment, and when the breaker is asked again */
export function breakerObstacle(
  { heldByBreaker: held }: LifecycleState,
  plan: Plan,
  rung: RungName | 'bury',
  now: number,
): { readonly blocked: Blocked; readonly until: number } | undefined {
  if (held === undefined || held.rung !== rung) return undefined;
  const until = held.againAt ?? held.askedAt + Math.min(plan.recheckMs, hourlyMs);
  return now >= until ? undefined : { blocked: heldObstacle(held), until };
}

function heldObstacle({ tripId, why, since }: HeldByBreaker): Blocked {
  return { by: 'breaker', why: `the breaker holds it (trip ${tripId}): ${why}`, since };
}

/** @param failedAt when the latest notice failed, epoch milliseconds */
export function noNoticeObstacle(rung: RungName, failedAt: number): Blocked {
  const why = `no notice of ${rung} could be delivered; it is tried again, and ${rung} waits for it`;
  return { by: 'no-notice', why, since: failedAt };
}

/** @returns `undefined` where no warning was lost in this absence, or it may be given anew */
export function lostWarningObstacle(
  { lostWarning: lost, ...state }: LifecycleState,
  rung: PlanRung,
  now: number,
): Blocked | undefined {
  if (rung.rung !== 'warn' || lost === undefined || now >= lost.againAt) return undefined;
  if (lost.inactiveSince !== inactiveSince(state, rung)) return undefined;
  const why =
    'the warning came back from a mail server on the way; it is given anew, and suspend waits for it';
  return { by: 'no-notice', why, since: lost.at };
}

export interface ObstacleQuestion {
  readonly state: LifecycleState;
  readonly plan: Plan;
  /** Absent: not in Kratos. */
  readonly identity: FoundIdentity | undefined;
  /** The rung that comes next; absent: none. */
  readonly rung: PlanRung | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @returns everything that is in the way at the moment, in the order in which the decision looks for it */
export function obstaclesOf(question: ObstacleQuestion): Blocked[] {
  const { state, identity } = question;
  if (state.rungs.delete?.completedAt !== undefined) return [];
  const found = identity === undefined ? ofAbsent(question) : ofFound(question, identity);
  return found.filter((one) => one !== undefined);
}

function ofAbsent({ state, plan, now }: ObstacleQuestion): (Blocked | undefined)[] {
  const parked = state.parked && parkedObstacle(state);
  if (state.missing === undefined || state.rungs.delete !== undefined) return [parked];
  const isLookParked = state.parked?.step === lookStep;
  const others = [missingObstacle(state.missing, plan, now), ...(isLookParked ? [] : [parked])];
  return [
    ...(isLookParked ? [parked] : []),
    ...others,
    ...holdsInForce(state, now).map(holdObstacle),
    breakerObstacle(state, plan, 'bury', now)?.blocked,
  ];
}

function ofFound(
  { state, plan, rung, now }: ObstacleQuestion,
  identity: FoundIdentity,
): (Blocked | undefined)[] {
  const failedAt = rung && scheduleOf(state, rung).notice?.failedAt;
  return [
    state.parked && parkedObstacle(state),
    disabledObstacle(identity),
    exemptObstacle(plan),
    ...holdsInForce(state, now).map(holdObstacle),
    rung && breakerObstacle(state, plan, rung.rung, now)?.blocked,
    rung && failedAt !== undefined ? noNoticeObstacle(rung.rung, failedAt) : undefined,
    rung && lostWarningObstacle(state, rung, now),
  ];
}

/** The one that ends last comes first: it is the one that the decision names. */
function holdsInForce(state: LifecycleState, now: number): Hold[] {
  const governing = governingHold(state, now);
  const others = (state.holds ?? []).filter((hold) => hold.until > now && hold !== governing);
  return governing === undefined ? [] : [governing, ...others];
}
