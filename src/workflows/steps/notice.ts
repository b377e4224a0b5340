/** Carries out a notice: a mail that announces a rung ahead of it. */
import { patched } from '@temporalio/workflow';
import { failuresWith, inactiveSince, postponementsOf } from '../../domain/lifecycle/clock.js';
import type { Decision } from '../../domain/lifecycle/decide.js';
import { withNotice } from '../../domain/lifecycle/notice-transitions.js';
import { withWarning } from '../../domain/lifecycle/transitions.js';
import type { PlanRung } from '../../domain/plan.js';
import type { DestructiveRung } from '../../domain/rungs.js';
import type { MailLinks } from '../../mail/links.js';
import { carryOut } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { mailKey, requestPageLinks } from './mails.js';

type NoticeDecision = Extract<Decision, { kind: 'notice' }>;

export async function giveNotice(run: LifecycleRun, { rung, leadMs, rungAt }: NoticeDecision): Promise<void> {
  const action = rung.rung as DestructiveRung;
  const since = inactiveSince(run.state, rung);
  const failedBefore = run.state.notices.findLast(
    (notice) => notice.rung === action && notice.leadMs === leadMs,
  );
  // Retrying a failed notice is a new mail: the old mail's attempts are spent.
  const key = mailKey(run, `notice-${action}/${leadMs}/${since}/${failedBefore?.at ?? 0}`);
  const round = postponementsOf(run.state, rung).length;
  const failures =
    failedBefore === undefined || !patched('failed-notices-pause-longer')
      ? 0
      : failuresWith(failedBefore, { since, rung });
  const links = { ...keepLink(rung, { since, round, rungAt }), ...requestPageLinks(run) };
  await carryOut(
    run,
    `notice:${action}`,
    async () => {
      const sent = await run.outside.mail.sendMail({
        identityId: run.state.identityId,
        kind: `notice-${action}`,
        key,
        inactiveForMs: Date.now() - since,
        upcoming: { action, at: rungAt },
        proofNeeded: action === 'delete',
        links,
      });
      run.state = withNotice(run.state, {
        rung: action,
        leadMs,
        outcome: sent.outcome,
        at: sent.at,
        inactiveSince: since,
        ...(round === 0 ? {} : { round }),
        key,
        announcedAt: rungAt,
        ...(failures === 0 ? {} : { failures }),
      });
      const deferred = sent.deferred ?? 0;
      if (deferred > 0) run.state = withWarning(run.state, `mail-notice-${action}-deferred`);
      const accepted = sent.outcome === 'accepted';
      // A mailbox that stays unreachable gets one audit entry, not one for each attempt.
      const isSameFailure =
        failedBefore?.outcome === sent.outcome &&
        failedBefore.inactiveSince === since &&
        failedBefore.void === undefined;
      if (isSameFailure && !accepted) return;
      run.audit(accepted ? 'notice_sent' : 'notice_failed', key, sent.outcome, {
        detail: {
          rung: action,
          leadMs,
          announcedAt: rungAt,
          addresses: sent.addresses,
          ...(deferred > 0 && { deferred }),
          ...(sent.withheld !== undefined && { withheld: sent.withheld }),
        },
      });
    },
    { interruptible: true },
  );
}

/** "Keep my account", as often as the policy grants it in one absence. */
function keepLink(
  rung: PlanRung,
  notice: { readonly since: number; readonly round: number; readonly rungAt: number },
): Pick<MailLinks, 'keep'> {
  const { keep } = rung;
  const { since, round, rungAt } = notice;
  if (keep === undefined || round >= keep.times) return {};
  const action = rung.rung as DestructiveRung;
  return {
    keep: { rung: action, inactiveSince: since, round, announcedAt: rungAt, byMs: keep.postponesMs },
  };
}
