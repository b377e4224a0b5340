/** How a lifecycle's memory changes: one pure function for each event. Notices, holds and rungs have files of their own. */
import type { AuditEntry } from '../audit-entry.js';
import { given } from '../given.js';
import type { RungName } from '../rungs.js';
import { mergeSign, mergeSigns, type SignOfLife } from '../sign-of-life.js';
import { absenceRulesOf, withAbsentLook } from './absence.js';
import type { Assessment, Buried, FoundIdentity } from './assessment.js';
import { withoutHolds } from './hold-transitions.js';
import type { Return } from './justification.js';
import { isSuspendedUnwarned, suspendedUnwarned, withWarningState } from './lost-warning.js';
import { voided, withNoticeStates } from './notice-transitions.js';
import type { Parked } from './parked.js';
import { withoutRung } from './rung-transitions.js';
import { stageOf } from './stage.js';
import type {
  Exported,
  HeldByBreaker,
  LifecycleState,
  LinkRequest,
  PolicyChoice,
  Reactivation,
  RungRecord,
} from './state.js';

/** How many update IDs are remembered across continue-as-new. */
const rememberedUpdates = 50;

export function withSign(
  state: LifecycleState,
  sign: Pick<SignOfLife, 'at' | 'kind'>,
  now: number,
): LifecycleState {
  const activity = mergeSign(state.activity, sign, now);
  return activity === state.activity ? state : { ...state, activity };
}

/** Applies what was read from Kratos and PostgreSQL. */
export function withAssessment(state: LifecycleState, assessment: Assessment, now: number): LifecycleState {
  const { identity } = assessment;
  const enabledAt = identity?.state === 'active' ? identity.stateChangedAt : 0;
  const baselineAt = Math.min(now, Math.max(state.baselineAt, identity?.createdAt ?? 0, enabledAt));
  const next: LifecycleState = {
    ...withPresence(
      withoutHolds(state, ({ until }) => until <= now, now),
      assessment,
      now,
    ),
    policy: assessment.plan.policy,
    activity: mergeSigns(state.activity, assessment.activity, now),
    baselineAt,
    known: state.known || identity !== undefined || assessment.absence?.wasKnown === true,
    ...given({ postponements: assessment.postponements }),
    ...warningsOf(state, assessment),
  };
  const { notices = [], warning, plan } = assessment;
  const heard = withWarningState(withNoticeStates(next, notices, now), warning, plan, now);
  const noticed = withoutFutileDeletion(heard, assessment);
  return identity === undefined || state.known ? noticed : withAdoptedDeactivation(noticed, identity);
}

/** Warnings that each look finds anew: shown as long as they apply. */
function warningsOf(
  state: LifecycleState,
  { identity, plan, warning }: Assessment,
): Pick<LifecycleState, 'warnings'> {
  const found = {
    'metadata-not-understood': identity !== undefined && (plan.unclear ?? []).length > 0,
    'disablement-not-confirmed': identity?.disablementUnconfirmed === true,
    [suspendedUnwarned]: isSuspendedUnwarned(state, warning),
  };
  const others = state.warnings.filter((warning) => !Object.hasOwn(found, warning));
  return { warnings: [...others, ...Object.entries(found).flatMap(([name, isSo]) => (isSo ? [name] : []))] };
}

/**
 * Counts a look that did not find the identity. An identity that is found again keeps everything except its
 * notices: they are given again, because the person could not sign in meanwhile.
 */
function withPresence(state: LifecycleState, assessment: Assessment, now: number): LifecycleState {
  const { identity, absence, plan } = assessment;
  if (identity !== undefined) return withoutMissing(state);
  // The engine itself is deleting the identity, and the outcome of its own call decides.
  if (state.rungs.delete !== undefined) return state;
  // For an identity that was never seen there is nothing to lose, unless the look is in doubt.
  if (absence === undefined || !(state.known || absence.wasKnown || absence.control === 'doubted')) {
    const { missing: _unknown, ...rest } = state;
    return rest;
  }
  return { ...state, missing: withAbsentLook(state.missing, absence, absenceRulesOf(plan), now) };
}

function withoutMissing(state: LifecycleState): LifecycleState {
  if (state.missing === undefined) return state;
  const { missing: _found, heldByBreaker: held, ...rest } = state;
  const next = held === undefined || held.rung === 'bury' ? rest : { ...rest, heldByBreaker: held };
  return { ...next, notices: voided(state.notices) };
}

/**
 * A buried identity is there again: it continues where it was. Where nothing was kept, its clock starts now.
 */
export function withRemembered(state: LifecycleState, { remembered }: Buried, now: number): LifecycleState {
  if (remembered === undefined) return { ...state, baselineAt: now };
  const { rungs, stageSince, baselineAt, activity, policyChoice } = remembered;
  return {
    ...state,
    policyChoice,
    rungs,
    stageSince,
    baselineAt: Math.max(state.baselineAt, baselineAt),
    activity: mergeSigns(state.activity, activity, now),
  };
}

/**
 * An interrupted deletion that had no effect is dropped: if the identity is deleted later, somebody else did
 * it. With `anonymise` the shell exists, and the deletion must still be completed.
 */
function withoutFutileDeletion(state: LifecycleState, { identity, plan }: Assessment): LifecycleState {
  const record = state.rungs.delete;
  if (identity === undefined || record === undefined || record.completedAt !== undefined) return state;
  // guard: the shell of somebody who is being anonymised is not taken for them
  if (state.parked !== undefined || plan.deletion?.action === 'anonymise') return state;
  return withoutRung(state, 'delete');
}

/**
 * A lifecycle that was lost and started again finds an identity that the engine had disabled. It continues
 * from there, so that a sign-in or an operator can bring the person back and the ladder does not begin anew.
 */
function withAdoptedDeactivation(state: LifecycleState, identity: FoundIdentity): LifecycleState {
  if (!identity.disabledByEngine || state.rungs.deactivate !== undefined) return state;
  const at = identity.stateChangedAt;
  const deactivate: RungRecord = { begunAt: at, completedAt: at, inactiveSince: at, afterMs: 0 };
  return { ...state, rungs: { ...state.rungs, deactivate }, stageSince: at };
}

/** The person is back: the undone rungs are forgotten, notices no longer count, and nothing stays parked. */
export function withReturn(state: LifecycleState, back: Return, now: number): LifecycleState {
  const rungs = Object.fromEntries(
    Object.entries(state.rungs).filter(([rung]) => !back.undo.includes(rung as RungName)),
  ) as LifecycleState['rungs'];
  const decided = ['operator', 'self-service', 'admin-in-kratos'].includes(back.cause);
  // guard: an export of an earlier absence does not count
  const { parked: _parked, heldByBreaker: _held, exported: _exported, reactivation, ...kept } = state;
  // guard: a return voids the notices of the absence
  const returned: LifecycleState = { ...kept, rungs, notices: voided(state.notices), warnings: [] };
  const next = stageOf(returned) === stageOf(state) ? returned : { ...returned, stageSince: now };
  return decided ? { ...next, baselineAt: Math.max(next.baselineAt, reactivation?.at ?? now) } : next;
}

export function withParked(state: LifecycleState, parked: Parked): LifecycleState {
  return { ...state, parked };
}

export function withoutParked(state: LifecycleState): LifecycleState {
  const { parked: _parked, ...rest } = state;
  return rest;
}

export function withExported(state: LifecycleState, exported: Exported): LifecycleState {
  return { ...state, exported };
}

export function withHeldByBreaker(state: LifecycleState, heldByBreaker: HeldByBreaker): LifecycleState {
  return { ...state, heldByBreaker };
}

/** A message asks for a look: the breaker is asked at once. */
export function withBreakerAskedAtOnce(state: LifecycleState): LifecycleState {
  if (state.heldByBreaker === undefined) return state;
  const { againAt: _againAt, ...held } = state.heldByBreaker;
  return withHeldByBreaker(state, { ...held, askedAt: 0 });
}

export function withoutHeldByBreaker(state: LifecycleState): LifecycleState {
  const { heldByBreaker: _held, ...rest } = state;
  return rest;
}

export function withReactivation(state: LifecycleState, reactivation: Reactivation): LifecycleState {
  return { ...state, reactivation };
}

/** A self-service return that is not allowed (any more) is dropped before it has any effect. */
export function withoutReactivation(state: LifecycleState): LifecycleState {
  const { reactivation: _reactivation, ...rest } = state;
  return rest;
}

export function withLinkRequest(state: LifecycleState, linkRequest: LinkRequest): LifecycleState {
  return { ...state, linkRequest };
}

export function withPolicyChoice(state: LifecycleState, policyChoice: PolicyChoice): LifecycleState {
  return { ...state, policyChoice };
}

export function withWarning(state: LifecycleState, warning: string): LifecycleState {
  return state.warnings.includes(warning) ? state : { ...state, warnings: [...state.warnings, warning] };
}

export function withAudit(state: LifecycleState, ...entries: AuditEntry[]): LifecycleState {
  return { ...state, outbox: [...state.outbox, ...entries] };
}

export function withoutAudit(state: LifecycleState, written: readonly AuditEntry[]): LifecycleState {
  const ids = new Set(written.map(({ eventId }) => eventId));
  return { ...state, outbox: state.outbox.filter(({ eventId }) => !ids.has(eventId)) };
}

export function withUpdateProcessed(state: LifecycleState, updateId: string): LifecycleState {
  return { ...state, processedUpdateIds: [...state.processedUpdateIds, updateId].slice(-rememberedUpdates) };
}
