/** How a lifecycle's memory changes: one pure function for each event. */

import type { AuditEntry } from '../audit-entry.js';
import { given } from '../given.js';
import type { PlanRung } from '../plan.js';
import { type RungName, rungNames } from '../rungs.js';
import { mergeActivity, mergeSign, type SignOfLife } from '../sign-of-life.js';
import { absenceRulesOf, withAbsentLook } from './absence.js';
import type { Assessment, Buried, FoundIdentity, NoticeState } from './assessment.js';
import type { Hold, HoldKind } from './holds.js';
import type { Return } from './justification.js';
import type { NoticeRecord } from './notice-record.js';
import type { Parked } from './parked.js';
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

export function withActivity(
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
    activity: mergeActivity(state.activity, assessment.activity, now),
    baselineAt,
    known: state.known || identity !== undefined || assessment.absence?.wasKnown === true,
    ...given({ postponements: assessment.postponements }),
    ...warningsOf(state, assessment),
  };
  const noticed = withoutFutileDeletion(withNoticeStates(next, assessment.notices ?? [], now), assessment);
  return identity === undefined || state.known ? noticed : withAdoptedDeactivation(noticed, identity);
}

/** Warnings that each look finds anew: shown as long as they apply. */
function warningsOf(
  { warnings }: LifecycleState,
  { identity, plan }: Assessment,
): Pick<LifecycleState, 'warnings'> {
  const found = {
    'metadata-not-understood': identity !== undefined && (plan.unclear ?? []).length > 0,
    'disablement-not-confirmed': identity?.disablementUnconfirmed === true,
  };
  const others = warnings.filter((warning) => !Object.hasOwn(found, warning));
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
    activity: mergeActivity(state.activity, activity, now),
  };
}

/**
 * An interrupted deletion that had no effect is dropped: if the identity is deleted later, somebody else did
 * it. With `anonymise` the shell exists, and the deletion must still be completed.
 */
function withoutFutileDeletion(state: LifecycleState, { identity, plan }: Assessment): LifecycleState {
  const record = state.rungs.delete;
  if (identity === undefined || record === undefined || record.completedAt !== undefined) return state;
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

/** A rung was begun. Beginning it again keeps the first time: retries are the same act. */
export function withRungBegun(
  state: LifecycleState,
  rung: PlanRung,
  since: number,
  now: number,
): LifecycleState {
  if (state.rungs[rung.rung] !== undefined) return state;
  const record: RungRecord = { begunAt: now, inactiveSince: since, afterMs: rung.afterMs };
  return { ...state, rungs: { ...state.rungs, [rung.rung]: record } };
}

/** @param more further fields to remember with it */
export function withRungCompleted(
  state: LifecycleState,
  rung: RungName,
  now: number,
  more: Pick<RungRecord, 'announcedAt'> = {},
): LifecycleState {
  const record = state.rungs[rung];
  if (record === undefined) throw new Error(`rung ${rung} was completed without having begun`);
  const next = { ...state, rungs: { ...state.rungs, [rung]: { ...record, completedAt: now, ...more } } };
  return stageOf(next) === stageOf(state) ? next : { ...next, stageSince: now };
}

/** A rung that was begun and given up before it had any effect. */
export function withoutRung(state: LifecycleState, rung: RungName): LifecycleState {
  const { [rung]: _dropped, ...rungs } = state.rungs;
  return { ...state, rungs };
}

export function withNotice(state: LifecycleState, notice: NoticeRecord): LifecycleState {
  const others = state.notices.filter(({ rung, leadMs }) => rung !== notice.rung || leadMs !== notice.leadMs);
  return { ...state, notices: [...others, notice] };
}

export type RunningNotice = NoticeRecord & { readonly key: string };

/**
 * The running notices: given, and their rung not yet done. Bounces and changed
 * addresses are looked up for these.
 */
export function runningNotices(state: LifecycleState): RunningNotice[] {
  return state.notices.flatMap((notice) => {
    const { key, rung, outcome } = notice;
    const isGiven = outcome === 'accepted' || outcome === 'ambiguous';
    const runs = isGiven && notice.void === undefined && state.rungs[rung]?.completedAt === undefined;
    return key !== undefined && runs ? [{ ...notice, key }] : [];
  });
}

/**
 * Applies the present states of notices. A notice that reached nobody makes the later ones of its rung void:
 * all of them are given again, so their date will not hold.
 */
export function withNoticeStates(
  state: LifecycleState,
  found: readonly NoticeState[],
  now: number,
): LifecycleState {
  const running = new Set(runningNotices(state).map(({ key }) => key));
  const outcomes = new Map(found.map(({ key, outcome }) => [key, outcome]));
  const changed = state.notices.map((notice): NoticeRecord => {
    const { key } = notice;
    const outcome = key === undefined || !running.has(key) ? undefined : outcomes.get(key);
    // The known outcome of a notice only ever gets worse.
    if (outcome === undefined || outcome === 'accepted' || outcome === notice.outcome) return notice;
    return { ...notice, outcome, failedAt: now };
  });
  if (changed.every((notice, index) => notice === state.notices[index])) return state;
  const isLost = ({ outcome, failedAt }: NoticeRecord) => failedAt === now && outcome !== 'ambiguous';
  const notices = changed.map((notice): NoticeRecord => {
    const lost = changed.some(
      (other) => isLost(other) && other.rung === notice.rung && other.leadMs > notice.leadMs,
    );
    return lost ? { ...notice, void: true } : notice;
  });
  return { ...state, notices };
}

/** The rung's notice went to new addresses. The person behind them gets time, too. */
export function withNoticeFollowed(state: LifecycleState, key: string, now: number): LifecycleState {
  const notices = state.notices.map((notice) =>
    notice.key === key ? { ...notice, followedAt: now } : notice,
  );
  return { ...state, notices };
}

/** The person is back: the undone rungs are forgotten, notices no longer count, and nothing stays parked. */
export function withReturn(state: LifecycleState, back: Return, now: number): LifecycleState {
  const rungs = Object.fromEntries(
    Object.entries(state.rungs).filter(([rung]) => !back.undo.includes(rung as RungName)),
  ) as LifecycleState['rungs'];
  const decided = ['operator', 'self-service', 'admin-in-kratos'].includes(back.cause);
  const { parked: _parked, heldByBreaker: _held, exported: _exported, reactivation, ...kept } = state;
  const returned: LifecycleState = { ...kept, rungs, notices: voided(state.notices), warnings: [] };
  const next = stageOf(returned) === stageOf(state) ? returned : { ...returned, stageSince: now };
  return decided ? { ...next, baselineAt: Math.max(next.baselineAt, reactivation?.at ?? now) } : next;
}

/**
 * Adds a hold to those in force. Earlier notices no longer count: their dates pass during the hold. A hold
 * without a kind comes from an older client, and replaces the other hold without a kind.
 */
export function withHold(state: LifecycleState, hold: Omit<Hold, 'id'>): LifecycleState {
  const count = (state.holdsSet ?? 0) + 1;
  const kept = (state.holds ?? []).filter(({ kind }) => hold.kind !== undefined || kind !== undefined);
  const next = { ...state, holds: [...kept, { ...hold, id: `h${count}` }], holdsSet: count };
  return outdatedByHold(next, hold, hold.since);
}

/** PostgreSQL keeps a hold under another id, because a lost lifecycle had already given that id. */
export function withHoldRenamed(state: LifecycleState, from: string, to: string): LifecycleState {
  if (from === to) return state;
  const holds = (state.holds ?? []).map((hold) => (hold.id === from ? { ...hold, id: to } : hold));
  return { ...state, holds, holdsSet: Math.max(state.holdsSet ?? 0, Number(to.slice(1))) };
}

/** Adds holds that PostgreSQL keeps and the memory lacks: those of a lifecycle that was lost or buried. */
export function withKeptHolds(
  state: LifecycleState,
  { standing, count }: NonNullable<Assessment['holds']>,
): LifecycleState {
  const known = new Set((state.holds ?? []).map(({ id }) => id));
  const lacking = standing.filter(({ id }) => !known.has(id));
  const holdsSet = Math.max(state.holdsSet ?? 0, count);
  if (lacking.length === 0) return holdsSet === (state.holdsSet ?? 0) ? state : { ...state, holdsSet };
  const next: LifecycleState = { ...state, holds: [...(state.holds ?? []), ...lacking], holdsSet };
  return lacking.reduce<LifecycleState>((before, hold) => outdatedByHold(before, hold, hold.since), next);
}

/** Ends one hold. A notice that was being sent when the hold was set does not count either. */
export function withoutHold(state: LifecycleState, holdId: string, now: number): LifecycleState {
  return withoutHolds(state, ({ id }) => id === holdId, now);
}

function withoutHolds(state: LifecycleState, ends: (hold: Hold) => boolean, now: number): LifecycleState {
  const { holds = [], ...rest } = state;
  const ended = holds.filter(ends);
  if (ended.length === 0) return state;
  const left = holds.filter((hold) => !ended.includes(hold));
  const next: LifecycleState = left.length === 0 ? rest : { ...rest, holds: left };
  return ended.reduce((before, hold) => outdatedByHold(before, hold, now), next);
}

/**
 * What was announced before a hold's end is out of date: notices are given again, and so is the warning ahead
 * of a suspension. Holds without a kind kept the warning, and histories of that time must replay.
 */
function outdatedByHold(state: LifecycleState, { kind }: Pick<Hold, 'kind'>, now: number): LifecycleState {
  const warning = state.skips?.warn;
  // The time that a skipped warning leaves also counts anew.
  const skips = warning === undefined ? {} : { skips: { ...state.skips, warn: { ...warning, at: now } } };
  const next = withoutOldExport({ ...state, ...skips, notices: voided(state.notices) }, kind);
  // A rung that is being carried out is not stopped: it ends, and counts from then.
  const done = rungNames.filter((rung) => state.rungs[rung]?.completedAt !== undefined);
  if (kind === undefined || done.length !== 1 || done[0] !== 'warn') return next;
  const unwarned = withoutRung(next, 'warn');
  return stageOf(unwarned) === stageOf(state) ? unwarned : { ...unwarned, stageSince: now };
}

/** An export from before a hold is out of date after it. Holds without a kind kept it, as above. */
function withoutOldExport(state: LifecycleState, kind: HoldKind | undefined): LifecycleState {
  if (kind === undefined || state.exported === undefined) return state;
  const { exported: _old, ...rest } = state;
  return rest;
}

function voided(notices: readonly NoticeRecord[]): NoticeRecord[] {
  return notices.map((notice) => ({ ...notice, void: true }));
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

/**
 * A parked rung is not to be carried out in this absence. Its begun work is forgotten: it leads to no stage.
 */
export function withSkippedRung(
  state: LifecycleState,
  rung: RungName,
  inactiveSince: number,
  now: number,
): LifecycleState {
  const skips = { ...state.skips, [rung]: { at: now, inactiveSince } };
  return { ...withoutRung(withoutParked(state), rung), skips };
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
