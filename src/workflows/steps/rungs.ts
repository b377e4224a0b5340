/** Carries out one rung each. The order of calls and the failure cases: docs/irreversible-steps.md. */
import { ActivityFailure, patched } from '@temporalio/workflow';
import type { EndedSessions } from '../../activities/kratos.js';
import { assertUnreachable } from '../../domain/assert.js';
import { announcedByWarning, inactiveSince, scheduleOf } from '../../domain/lifecycle/clock.js';
import { withRungBegun } from '../../domain/lifecycle/rung-transitions.js';
import { withSign } from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import { carryOut, isRefusedRecord, park, typeOf } from '../carry-out.js';
import { measureLateness } from '../lateness.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { passBreaker } from './breaker.js';
import { auditDeed, complete, type Deed, deedKey, lastLook, stopsHere } from './deeds.js';
import { deleteForGood, exportFirst } from './deletion.js';
import { requestPageLinks, sendMail, tellAfterwards } from './mails.js';

/** Carries the rung out. The next turn of the main loop looks at the outcome. */
export async function climb(run: LifecycleRun, rung: PlanRung): Promise<void> {
  // guard: destructive rungs ask the breaker
  // guard: export before deletion
  if (!(await passesBreaker(run, rung)) || !(await exportFirst(run, rung))) return;
  const since = inactiveSince(run.state, rung);
  const { dueAt } = scheduleOf(run.state, rung);
  run.state = withRungBegun(run.state, rung, since, Date.now());
  const end = await carryOut(run, rung.rung, () => deedOf(rung)(run, rung, since), {
    interruptible: rung.rung !== 'delete',
  });
  const doneAt = run.state.rungs[rung.rung]?.completedAt;
  if (end === 'done' && doneAt !== undefined) measureLateness('rung', rung.rung, dueAt, doneAt);
  // An interrupted rung may never be resumed, so the main loop handles its grant.
  if (end !== 'interrupted') run.grant = undefined;
}

/**
 * An act that PostgreSQL refuses to count is parked: the breaker lets nothing pass that it could not record.
 */
async function passesBreaker(run: LifecycleRun, rung: PlanRung): Promise<boolean> {
  try {
    return await passBreaker(run, rung);
  } catch (error) {
    if (!isRefusedRecord(error)) throw error;
    park(run, rung.rung, 'RecordRefused');
    return false;
  }
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
  const upcoming = announcedByWarning(run.state, run.plan, Date.now());
  const { outcome, addresses } = await sendMail(
    run,
    'warn',
    `warn/${deedKey(run, rung)}`,
    upcoming === undefined ? {} : { upcoming },
  );
  const announcedAt = upcoming === undefined ? {} : { announcedAt: upcoming.at };
  complete(run, rung, patched('warning-keeps-its-day') && upcoming?.action === 'suspend' ? announcedAt : {});
  auditDeed(run, rung, 'inactivity_warned', outcome, { addresses, ...announcedAt });
}

async function suspend(run: LifecycleRun, rung: PlanRung): Promise<void> {
  // The standing shows it, in PostgreSQL and in whoami. Both are written when the main loop settles.
  complete(run, rung);
  auditDeed(run, rung, 'actions_suspended', 'done');
}

/** `not_before` takes effect at once wherever it is checked, so it is written only after the last look. */
async function revoke(run: LifecycleRun, rung: PlanRung, since: number): Promise<void> {
  const { identityId } = run.state;
  // guard: not_before of a revocation waits for the last look
  const looksFirst = patched('revocation-looks');
  if (!looksFirst) await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  // guard: last look before the sessions of a revocation are ended
  const first = await run.outside.kratos.endSessions({ identityId, look: lastLook(run, rung, since) });
  if (first.stopped !== undefined && stopsHere(run, rung, first.stopped)) return;
  if (looksFirst) await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  const ended = await endRemaining(run, first);
  complete(run, rung);
  auditDeed(run, rung, 'tokens_revoked_stale', 'done', { type: 'ladder', ...ended });
  if (rung.mailAfter) await tellAfterwards(run, 'revoked', `revoked/${deedKey(run, rung)}`);
}

async function winBack(run: LifecycleRun, rung: PlanRung): Promise<void> {
  const { outcome, addresses, withheld } = await sendMail(run, 'winback', `winback/${deedKey(run, rung)}`);
  complete(run, rung);
  // A recipient who unsubscribed gets no mail. The rung is done all the same.
  const isWithheld = addresses === 0 && withheld !== undefined;
  auditDeed(run, rung, 'winback_sent', isWithheld ? 'withheld' : outcome, { addresses });
}

/** As in a revocation, `not_before` comes after the last look, which is inside the call that disables. */
async function deactivate(run: LifecycleRun, rung: PlanRung, since: number): Promise<void> {
  const { identityId } = run.state;
  // guard: not_before comes after the last look of a deactivation
  const looksFirst = patched('deactivation-looks');
  if (!looksFirst) await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  let refused: ActivityFailure | undefined;
  try {
    const act = await run.outside.kratos.disableIdentity(lastLook(run, rung, since));
    if (stopsHere(run, rung, act)) return;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || typeOf(error) !== 'IdentityDoesNotFitSchema') throw error;
    refused = error;
  }
  // An identity that Kratos can't write must still lose its sessions and tokens.
  // The step is parked afterwards.
  if (looksFirst) await run.outside.ledger.writeNotBefore({ identityId, at: Date.now() });
  const ended = await endCredentials(run);
  if (refused !== undefined) throw refused;
  complete(run, rung);
  auditDeed(run, rung, 'account_deactivated', 'done', ended);
  if (rung.mailAfter) {
    await tellAfterwards(run, 'deactivated', `deactivated/${deedKey(run, rung)}`, requestPageLinks(run));
  }
}

/** Kratos sessions, Hydra consents and logins, and Kratos sessions once more. */
export async function endCredentials(run: LifecycleRun): Promise<{ sessions: number; consents: number }> {
  return endRemaining(run, await run.outside.kratos.endSessions({ identityId: run.state.identityId }));
}

/**
 * The work after a first pass over the sessions. The second pass takes no look: it ends sessions
 * created meanwhile. A sign-in that fresh is a sign of life, and the next turn brings the person
 * back to the bottom of the ladder.
 */
async function endRemaining(
  run: LifecycleRun,
  first: EndedSessions,
): Promise<{ sessions: number; consents: number }> {
  const { identityId } = run.state;
  const { consents } = await run.outside.hydra.endTokens({ identityId });
  // guard: sessions minted while Hydra is asked are ended by a second pass
  const second = await run.outside.kratos.endSessions({ identityId });
  const authenticatedAt = Math.max(first.authenticatedAt ?? 0, second.authenticatedAt ?? 0);
  // guard: a sign-in in the middle of a revocation brings the person back
  if (authenticatedAt > 0) {
    run.state = withSign(run.state, { kind: 'human', at: authenticatedAt }, Date.now());
  }
  return { sessions: first.ended + second.ended, consents };
}
