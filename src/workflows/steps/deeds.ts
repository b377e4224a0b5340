/** What the deeds of all rungs share: their key, their audit entry, and how a last look stops them. */

import type { AuditEntry, AuditEventType } from '../../domain/audit-entry.js';
import { inDays } from '../../domain/duration.js';
import { inactiveSince, postponementsOf } from '../../domain/lifecycle/clock.js';
import { runningNotices } from '../../domain/lifecycle/notice-transitions.js';
import { withoutRung, withRungCompleted } from '../../domain/lifecycle/rung-transitions.js';
import type { RungRecord } from '../../domain/lifecycle/state.js';
import type { PlanRung } from '../../domain/plan.js';
import { isDestructive } from '../../domain/rungs.js';
import { mergeSigns } from '../../domain/sign-of-life.js';
import type { ActOutcome, LastLook } from '../../looks/last-look.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { actKey, holdBack } from './breaker.js';

export type Deed = (run: LifecycleRun, rung: PlanRung, since: number) => Promise<void>;

/**
 * The key of one carrying out of a rung, the same for every attempt at it. It holds the time of its
 * beginning: a rung that was undone and comes again in the same absence is a new deed, with a mail
 * and an audit entry of its own.
 */
export function deedKey(run: LifecycleRun, rung: PlanRung): string {
  return `${run.state.rungs[rung.rung]?.begunAt ?? 0}`;
}

/** Days count from the last sign of life that counts for this rung. */
export function auditDeed(
  run: LifecycleRun,
  rung: PlanRung,
  eventType: AuditEventType,
  outcome: string,
  detail?: AuditEntry['detail'],
): void {
  const daysInactive = inDays(Date.now() - inactiveSince(run.state, rung));
  run.audit(eventType, deedKey(run, rung), outcome, { daysInactive, ...(detail && { detail }) });
}

/** @param more further fields to remember with it */
export function complete(
  run: LifecycleRun,
  rung: PlanRung,
  more: Pick<RungRecord, 'announcedAt'> = {},
): void {
  run.state = withRungCompleted(run.state, rung.rung, Date.now(), more);
}

export function lastLook(run: LifecycleRun, rung: PlanRung, since: number): LastLook {
  const known = postponementsOf(run.state, rung).length;
  const { rung: action } = rung;
  const isCounted = isDestructive(action) && run.plan.breaker !== undefined;
  const needsNotice = rung.withoutNotice !== 'proceed' || rung.rung === 'delete';
  const notices = runningNotices(run.state)
    .filter((notice) => notice.rung === rung.rung && rung.noticeLeadsMs.includes(notice.leadMs))
    .map(({ key }) => key);
  return {
    identityId: run.state.identityId,
    inactiveSince: since,
    keepsAlive: rung.keepsAlive,
    policyChoice: run.state.policyChoice,
    due: { rung: action, afterMs: rung.afterMs },
    ...(isCounted && { granted: { key: actKey(run, action, since), action } }),
    ...(rung.keep && { postponable: { rung: rung.rung, keep: rung.keep, known } }),
    ...(needsNotice && { notices, ambiguousCounts: rung.rung !== 'delete' }),
  };
}

/** Whether the last look stopped the deed before it had any effect. Remembers what the look saw. */
export function stopsHere(run: LifecycleRun, planned: PlanRung, act: ActOutcome): boolean {
  const { rung } = planned;
  if (act.outcome === 'done') return false;
  run.state = withoutRung(run.state, rung);
  if (act.outcome === 'held' && act.trip !== undefined) {
    const held = { action: rung, inactiveSince: inactiveSince(run.state, planned) };
    holdBack(run, held, act.trip, Date.now());
  }
  if (act.outcome === 'superseded') {
    run.state = { ...run.state, activity: mergeSigns(run.state.activity, act.activity, Date.now()) };
  }
  if (act.outcome === 'left-alone') {
    run.audit('left_alone', `${rung}/${Date.now()}`, act.because ?? 'disabled-by-admin');
  }
  return true;
}
