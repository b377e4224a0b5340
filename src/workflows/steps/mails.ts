/** Mails that accompany a rung or a return. */
import { ActivityFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { MailRequest, MailResult } from '../../activities/mail.js';
import type { LifecycleState } from '../../domain/lifecycle/state.js';
import { withWarning } from '../../domain/lifecycle/transitions.js';
import type { MailLinks } from '../../mail/links.js';
import type { MailKind } from '../../mail/render.js';
import type { LifecycleRun } from '../lifecycle-run.js';

/** A key that stays the same for every attempt at the same mail, across retries and continue-as-new. */
export function mailKey(run: LifecycleRun, name: string): string {
  return `${run.state.identityId}/${workflowInfo().firstExecutionRunId}/${name}`;
}

/** The name of the last warning. Absent: none was given, or it is being given. */
export function warningName({ rungs }: LifecycleState): string | undefined {
  const { begunAt, completedAt } = rungs.warn ?? {};
  return completedAt === undefined ? undefined : `warn/${begunAt}`;
}

export function sendMail(
  run: LifecycleRun,
  kind: MailKind,
  name: string,
  more: Pick<MailRequest, 'upcoming' | 'links'> = {},
): Promise<MailResult> {
  return run.outside.mail.sendMail({
    identityId: run.state.identityId,
    kind,
    key: mailKey(run, name),
    inactiveForMs: Math.max(0, Date.now() - run.inactiveSince),
    ...more,
    proofNeeded: false,
  });
}

/**
 * Tells the person what was done. The deed stands whether or not the mail arrives. A failure
 * becomes a warning for operators.
 */
export async function tellAfterwards(
  run: LifecycleRun,
  kind: MailKind,
  name: string,
  links?: MailLinks,
): Promise<MailResult['outcome'] | 'not-sent'> {
  try {
    const { outcome } = await sendMail(run, kind, name, links === undefined ? {} : { links });
    if (outcome !== 'accepted') run.state = withWarning(run.state, `mail-${kind}-${outcome}`);
    return outcome;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    run.state = withWarning(run.state, `mail-${kind}-${isCancellation(error) ? 'interrupted' : 'failed'}`);
    return 'not-sent';
  }
}

/**
 * A mail about the engine's own deactivation links to the page where a reactivation link can be requested.
 */
export function requestPageLinks(run: LifecycleRun): MailLinks {
  const isDeactivated = run.state.rungs.deactivate?.completedAt !== undefined;
  return isDeactivated && run.plan.selfReactivation !== undefined ? { requestPage: true } : {};
}
