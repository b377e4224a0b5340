/** How the memory of holds changes, and what a hold makes out of date. Pure. */
import { rungNames } from '../rungs.js';
import type { Assessment } from './assessment.js';
import type { Hold, HoldKind } from './holds.js';
import { voided } from './notice-transitions.js';
import { withoutRung } from './rung-transitions.js';
import { stageOf } from './stage.js';
import type { LifecycleState } from './state.js';

/**
 * Adds a hold to those in force. Earlier notices no longer count: their dates pass during the hold. A hold
 * without a kind comes from an older client, and replaces the other hold without a kind.
 */
export function withHold(state: LifecycleState, hold: Omit<Hold, 'id'>): LifecycleState {
  const count = (state.holdsSet ?? 0) + 1;
  const kept = (state.holds ?? []).filter(({ kind }) => hold.kind !== undefined || kind !== undefined);
  const next = { ...state, holds: [...kept, { ...hold, id: `h${count}` }], holdsSet: count };
  // guard: a hold voids the notices before it
  return outdatedByHold(next, hold, hold.since);
}

/**
 * PostgreSQL keeps a hold under another id: a lost lifecycle had already given that id, or the same request
 * had set the hold before there was a lifecycle. A look may have read that hold already: it stays one hold.
 */
export function withHoldRenamed(state: LifecycleState, from: string, to: string): LifecycleState {
  if (from === to) return state;
  // guard: holds: a hold that was set twice by one request stays one
  const holds = (state.holds ?? [])
    .filter(({ id }) => id !== to)
    .map((hold) => (hold.id === from ? { ...hold, id: to } : hold));
  return { ...state, holds, holdsSet: Math.max(state.holdsSet ?? 0, Number(to.slice(1))) };
}

/**
 * Takes over what PostgreSQL knows and the memory does not: holds of a lifecycle that was lost or buried, and
 * holds that were set or released while no lifecycle ran.
 */
export function withKeptHolds(
  before: LifecycleState,
  { standing, count, released = [] }: NonNullable<Assessment['holds']>,
  now: number,
): LifecycleState {
  const state = withoutHolds(before, ({ id }) => released.includes(id), now);
  const known = new Set((state.holds ?? []).map(({ id }) => id));
  const lacking = standing.filter(({ id }) => !known.has(id));
  const holdsSet = Math.max(state.holdsSet ?? 0, count);
  if (lacking.length === 0) return holdsSet === (state.holdsSet ?? 0) ? state : { ...state, holdsSet };
  const next: LifecycleState = { ...state, holds: [...(state.holds ?? []), ...lacking], holdsSet };
  return lacking.reduce<LifecycleState>((held, hold) => outdatedByHold(held, hold, hold.since), next);
}

/**
 * Whether a look read the holds while none was being changed. A run counts the begin and the end of each change, so its
 * counter is odd during a change.
 * @param atBegin the counter when the look began
 * @param atEnd the counter when it ended
 */
export function areHoldsAtRest(atBegin: number, atEnd: number): boolean {
  // guard: a look that overlaps a release brings no hold back
  return atBegin === atEnd && atBegin % 2 === 0;
}

/** Ends one hold. A notice that was being sent when the hold was set does not count either. */
export function withoutHold(state: LifecycleState, holdId: string, now: number): LifecycleState {
  return withoutHolds(state, ({ id }) => id === holdId, now);
}

export function withoutHolds(
  state: LifecycleState,
  ends: (hold: Hold) => boolean,
  now: number,
): LifecycleState {
  const { holds = [], ...rest } = state;
  const ended = holds.filter(ends);
  if (ended.length === 0) return state;
  const left = holds.filter((hold) => !ended.includes(hold));
  const next: LifecycleState = left.length === 0 ? rest : { ...rest, holds: left };
  // guard: the end of a hold voids notices that were on their way
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
  // guard: what was exported before a hold is exported anew after it
  if (kind === undefined || state.exported === undefined) return state;
  const { exported: _old, ...rest } = state;
  return rest;
}
