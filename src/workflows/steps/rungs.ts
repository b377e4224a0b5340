/**
 * Carries out one rung each. How each goes wrong, and what holds then, stands in docs/irreversible-steps.md; the order
 * of calls is the design's (invariant 3).
 */
import { ActivityFailure } from '@temporalio/workflow';
import type { ActOutcome, LastLook } from '../../activities/kratos.js';
import { assertUnreachable } from '../../domain/assert.js';
import type { AuditEntry, AuditEventType } from '../../domain/audit-entry.js';
import { inDays } from '../../domain/duration.js';
import { inactiveSince, scheduleOf } from '../../domain/lifecycle/clock.js';
import {
  runningNotices,
  withActivity,
  withoutRung,
  withRungBegun,
  withRungCompleted,
} from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import type { RungName } from '../../domain/rungs.js';
import { mergeActivity } from '../../domain/sign-of-life.js';
import { carryOut, typeOf } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { passBreaker } from './breaker.js';
import { sendMail, tellAfterwards } from './mails.js';

/** Carries the rung out; the next turn of the main loop looks at what came of it. */
export async function climb(run: LifecycleRun, rung: PlanRung): Promise<void> {
  if (!(await passBreaker(run, rung))) return;
  const since = inactiveSince(run.state, rung);
  run.state = withRungBegun(run.state, rung, since, Date.now());
  await carryOut(run, rung.rung, () => deedOf(rung)(run, rung, since), {
    interruptible: rung.rung !== 'delete',
  });
}

type Deed = (run: LifecycleRun, rung: PlanRung, since: number) => Promise<void>;

/**
 * Names one carrying out of a rung, the same for every attempt at it. Taken from when it was begun: a rung that was
 * undone and comes again in the same absence is a new deed, with a mail and an audit entry of its own.
 */
function deedKey(run: LifecycleRun, rung: PlanRung): string {
  return `${run.state.rungs[rung.rung]?.begunAt ?? 0}`;
}

function deedOf(rung: PlanRung): Deed {
  switch (rung.rung) {
    case 'warn':
      return warn;
    case 'suspend':
      return suspend;
    case 'revoke':
      return revoke;
    case 'winback':
      return winBack;
    case 'deactivate':
      return deactivate;
    case 'delete':
      return deleteForGood;
    default:
      return assertUnreachable(rung.rung);
  }
}

async function warn(run: LifecycleRun, rung: PlanRung): Promise<void> {
  const suspension = run.plan.rungs.find((other) => other.rung === 'suspend');
  const base = suspension === undefined ? Date.now() : scheduleOf(run.state, suspension).dueAt;
  const at = Math.max(base, Date.now() + (suspension?.noticeFloorMs ?? 0));
  const { outcome, addresses } = await sendMail(run, 'warn', `warn/${deedKey(run, rung)}`, {
    action: 'suspend',
    at,
  });
  complete(run, rung);
  auditDeed(run, rung, 'inactivity_warned', outcome, { addresses, announcedAt: at });
}

async function suspend(run: LifecycleRun, rung: PlanRung): Promise<void> {
  // The standing says it, in PostgreSQL and in whoami: both are written when the main loop settles.
  complete(run, rung);
  auditDeed(run, rung, 'actions_suspended', 'done');
}

async function revoke(run: LifecycleRun, rung: PlanRung): Promise<void> {
  await run.outside.ledger.writeNotBefore({ identityId: run.state.identityId, at: Date.now() });
  const ended = await endCredentials(run);
  complete(run, rung);
  auditDeed(run, rung, 'tokens_revoked_stale', 'done', ended);
  if (rung.mailAfter) await tellAfterwards(run, 'revoked', `revoked/${deedKey(run, rung)}`);
}

async function winBack(run: LifecycleRun, rung: PlanRung): Promise<void> {
  const { outcome, addresses } = await sendMail(run, 'winback', `winback/${deedKey(run, rung)}`);
  complete(run, rung);
  auditDeed(run, rung, 'winback_sent', outcome, { addresses });
}

async function deactivate(run: LifecycleRun, rung: PlanRung, since: number): Promise<void> {
  const { identityId } = run.state;
  await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  let refused: ActivityFailure | undefined;
  try {
    const act = await run.outside.kratos.disableIdentity(lastLook(run, rung, since));
    if (stopsHere(run, rung.rung, act)) return;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || typeOf(error) !== 'IdentityDoesNotFitSchema') throw error;
    refused = error;
  }
  // An identity that Kratos can't write must not keep its sessions and tokens for it; the step is parked afterwards.
  const ended = await endCredentials(run);
  if (refused !== undefined) throw refused;
  complete(run, rung);
  auditDeed(run, rung, 'account_deactivated', 'done', ended);
  if (rung.mailAfter) await tellAfterwards(run, 'deactivated', `deactivated/${deedKey(run, rung)}`);
}

async function deleteForGood(run: LifecycleRun, rung: PlanRung, since: number): Promise<void> {
  const { identityId } = run.state;
  const act = await run.outside.kratos.deleteIdentity(lastLook(run, rung, since));
  if (stopsHere(run, rung.rung, act)) return;
  await run.outside.hydra.endTokens({ identityId });
  await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  const { policy } = run.state;
  await run.outside.ledger.bury({
    identityId,
    ...(policy === undefined ? {} : { policy }),
    deletedAt: Date.now(),
  });
  complete(run, rung);
  auditDeed(run, rung, 'account_deleted', 'done');
}

/** Days are counted from the last sign of life that counts for this rung. */
function auditDeed(
  run: LifecycleRun,
  rung: PlanRung,
  eventType: AuditEventType,
  outcome: string,
  detail?: AuditEntry['detail'],
): void {
  const daysInactive = inDays(Date.now() - inactiveSince(run.state, rung));
  run.audit(eventType, deedKey(run, rung), outcome, { daysInactive, ...(detail && { detail }) });
}

function complete(run: LifecycleRun, rung: PlanRung): void {
  run.state = withRungCompleted(run.state, rung.rung, Date.now());
}

function lastLook(run: LifecycleRun, rung: PlanRung, since: number): LastLook {
  const { identityId } = run.state;
  const look = { identityId, inactiveSince: since, keepsAlive: rung.keepsAlive };
  if (rung.withoutNotice === 'proceed' && rung.rung !== 'delete') return look;
  const notices = runningNotices(run.state)
    .filter((notice) => notice.rung === rung.rung && rung.noticeLeadsMs.includes(notice.leadMs))
    .map(({ key }) => key);
  return { ...look, notices, ambiguousCounts: rung.rung !== 'delete' };
}

/** Whether the last look stopped the deed before it had any effect; what it saw is remembered. */
function stopsHere(run: LifecycleRun, rung: RungName, act: ActOutcome): boolean {
  if (act.outcome === 'done') return false;
  run.state = withoutRung(run.state, rung);
  if (act.outcome === 'superseded') {
    run.state = { ...run.state, activity: mergeActivity(run.state.activity, act.activity, Date.now()) };
  }
  if (act.outcome === 'left-alone') run.audit('left_alone', `${rung}/${Date.now()}`, 'disabled-by-admin');
  return true;
}

/**
 * Kratos sessions, Hydra consents and logins, and Kratos sessions once more: one minted meanwhile is ended too. A
 * sign-in that fresh is a sign of life, and the next turn brings the person back to the bottom of the ladder.
 */
async function endCredentials(run: LifecycleRun): Promise<{ sessions: number; consents: number }> {
  const { identityId } = run.state;
  const first = await run.outside.kratos.endSessions({ identityId });
  const { consents } = await run.outside.hydra.endTokens({ identityId });
  const second = await run.outside.kratos.endSessions({ identityId });
  const authenticatedAt = Math.max(first.authenticatedAt ?? 0, second.authenticatedAt ?? 0);
  if (authenticatedAt > 0) {
    run.state = withActivity(run.state, { kind: 'human', at: authenticatedAt }, Date.now());
  }
  return { sessions: first.ended + second.ended, consents };
}
