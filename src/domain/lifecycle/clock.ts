/** When each rung and each notice of one identity is due. Pure; every deadline is an absolute time. */

import { dayMs } from '../duration.js';
import { given } from '../given.js';
import type { Plan, PlanRung } from '../plan.js';
import { countedPostponements, type Postponement } from '../postponement.js';
import type { RungName } from '../rungs.js';
import { latestOf } from '../sign-of-life.js';
import type { NoticeRecord } from './notice-record.js';
import type { LifecycleState, Skip } from './state.js';

/**
 * The start of the inactivity: for one rung, or, given the whole plan, by the kinds that count for any rung.
 */
export function inactiveSince(state: LifecycleState, counted: Pick<Plan | PlanRung, 'keepsAlive'>): number {
  // guard: each rung counts the kinds of signs of life that it names
  return Math.max(state.baselineAt, latestOf(state.activity, counted.keepsAlive) ?? 0);
}

/** The same for a rung given by name. A rung that the plan no longer has is measured by the whole plan. */
export function inactiveSinceFor(state: LifecycleState, plan: Plan, rung: RungName): number {
  return inactiveSince(state, plan.rungs.find((planned) => planned.rung === rung) ?? plan);
}

/** Whether a notice with this outcome counts for the rung (docs/architecture.md, invariant 2). */
export function countsAsNotice(
  outcome: NoticeRecord['outcome'],
  rung: Pick<PlanRung, 'rung' | 'withoutNotice'>,
): boolean {
  if (outcome === 'accepted') return true;
  // guard: an ambiguous or failed notice never counts for deletion
  if (rung.rung === 'delete') return false;
  // guard: a notice that a server on the way did not carry never counts
  if (outcome === 'relay-failed') return false;
  // guard: a notice that was refused does not count where the policy waits
  return outcome === 'ambiguous' || rung.withoutNotice === 'proceed';
}

/** How many notices in a row reached nobody in this absence, including the last one. */
export function failuresWith(
  last: NoticeRecord,
  { since, rung }: { readonly since: number; readonly rung: PlanRung },
): number {
  const isSame = last.inactiveSince === since && last.void === undefined;
  return isSame && !countsAsNotice(last.outcome, rung) ? (last.failures ?? 0) + 1 : 0;
}

/** @returns the operator's decision to skip the rung in the absence since then */
export function skipOf(state: LifecycleState, rung: RungName, since: number): Skip | undefined {
  const skip = state.skips?.[rung];
  return skip?.inactiveSince === since ? skip : undefined;
}

export interface RungSchedule {
  /** When the rung itself may be carried out, as far as the notices given allow. */
  readonly dueAt: number;
  /** The next notice that is owed ahead of the rung. Absent: all were given. */
  readonly notice?: {
    readonly leadMs: number;
    readonly dueAt: number;
    /** Least time between its acceptance and the rung. */
    readonly floorMs: number;
    /** When the last attempt failed, if its outcome does not count as notice. */
    readonly failedAt?: number;
    /** How many attempts before the last one failed too. Absent: none. */
    readonly failures?: number;
  };
}

/** The postponements that count for the rung now: those of this absence, as many as the policy grants. */
export function postponementsOf(state: LifecycleState, rung: PlanRung): readonly Postponement[] {
  return countedPostponements(state.postponements ?? [], rung, inactiveSince(state, rung));
}

/**
 * The rung's deadline and the notice owed next. The floor follows the accepted notices: each moves the rung
 * to at least its own lead after its acceptance, so that no outage, backlog or tightened policy can shorten
 * it. A postponement only ever moves the deadline later, and every notice is given again before the new date.
 */
export function scheduleOf(state: LifecycleState, rung: PlanRung): RungSchedule {
  const since = inactiveSince(state, rung);
  // guard: cool-down between deactivation and deletion
  const base = Math.max(since + rung.afterMs, coolDownEnd(state, rung));
  if (rung.rung === 'suspend') {
    // A skipped warning was never given. The person keeps the time that it would have given.
    const skippedAt = state.skips?.warn?.at ?? 0;
    const warnedAt = state.rungs.warn?.completedAt ?? (skippedAt > since ? skippedAt : undefined);
    // A policy that was tightened since does not break the date in the warning.
    const announcedAt = state.rungs.warn?.announcedAt ?? 0;
    return {
      // guard: suspension keeps its distance from the warning
      // guard: a suspension keeps the day that its warning named
      dueAt: warnedAt === undefined ? base : Math.max(base, warnedAt + rung.noticeFloorMs, announcedAt),
    };
  }
  if (rung.rung === 'warn') {
    const { lostWarning: lost } = state;
    // guard: a warning that was lost waits before it is given anew
    return { dueAt: lost?.inactiveSince === since ? Math.max(base, lost.againAt) : base };
  }
  const postponed = postponementsOf(state, rung);
  const from = Math.max(base, ...postponed.map(({ untilAt }) => untilAt));
  let dueAt = from;
  for (const [index, leadMs] of rung.noticeLeadsMs.entries()) {
    const floorMs = index === 0 ? Math.max(leadMs, rung.noticeFloorMs) : leadMs;
    const record = validNotice(state, rung.rung, leadMs, {
      since,
      earliestAt: from - 2 * leadMs,
      round: postponed.length,
    });
    if (record === undefined || !countsAsNotice(record.outcome, rung)) {
      const failed =
        record === undefined
          ? {}
          : {
              failedAt: record.failedAt ?? record.at,
              ...given({ failures: record.failures }),
            };
      return { dueAt, notice: { leadMs, dueAt: dueAt - leadMs, floorMs, ...failed } };
    }
    // guard: notice floor: a destructive rung keeps its distance from the accepted notice
    // guard: who hears late has a day
    dueAt = Math.max(dueAt, record.at + floorMs, (record.followedAt ?? 0) + followFloorMs(leadMs));
    // The policy may have been looser when the notice was given, and tightened since.
    // guard: no rung before the day that its notice named
    dueAt = Math.max(dueAt, record.announcedAt ?? 0);
  }
  return { dueAt };
}

/** What a warning given now announces: the next rung with an effect, at its earliest possible time. */
export function announcedByWarning(
  state: LifecycleState,
  { rungs }: Pick<Plan, 'rungs'>,
  now: number,
): { readonly action: Exclude<RungName, 'warn' | 'winback'>; readonly at: number } | undefined {
  for (const planned of rungs) {
    const { rung: action, noticeFloorMs } = planned;
    if (action === 'warn' || action === 'winback') continue;
    return { action, at: Math.max(scheduleOf(state, planned).dueAt, now + noticeFloorMs) };
  }
  return undefined;
}

/** A late deactivation does not shorten the time until the deletion. */
function coolDownEnd(state: LifecycleState, { rung, coolDownMs }: PlanRung): number {
  const deactivatedAt = state.rungs.deactivate?.completedAt;
  return rung === 'delete' && deactivatedAt !== undefined ? deactivatedAt + (coolDownMs ?? 0) : 0;
}

/**
 * The least time for a person who gets a notice only after a change of address,
 * though its date was set before.
 */
export function followFloorMs(leadMs: number): number {
  return Math.min(leadMs, dayMs);
}

/**
 * A notice counts only while its content still holds: no sign of life since, no postponement of the rung
 * since, and the rung was not delayed so far that the date in the mail is out of date.
 */
function validNotice(
  state: LifecycleState,
  rung: RungName,
  leadMs: number,
  rule: { since: number; earliestAt: number; round: number },
): NoticeRecord | undefined {
  return state.notices.findLast(
    // guard: a notice of an earlier absence does not count
    // guard: a notice whose date is history does not count
    // guard: a voided notice does not count
    // guard: a notice of one act is none of another
    // guard: a postponement wants every notice anew
    (notice) =>
      notice.rung === rung &&
      notice.leadMs === leadMs &&
      notice.void === undefined &&
      notice.inactiveSince === rule.since &&
      (notice.round ?? 0) === rule.round &&
      notice.at >= rule.earliestAt,
  );
}
