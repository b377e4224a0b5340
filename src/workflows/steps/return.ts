/** Carries out a return: undoes the engine's own acts, and nothing else. */
import { patched } from '@temporalio/workflow';
import type { AuditEventType } from '../../domain/audit-entry.js';
import type { Return, ReturnCause } from '../../domain/lifecycle/justification.js';
import { stageOf } from '../../domain/lifecycle/stage.js';
import { returnStep } from '../../domain/lifecycle/steps.js';
import { withReturn } from '../../domain/lifecycle/transitions.js';
import { carryOut } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';
import { tellAfterwards } from './mails.js';
import { endCredentials } from './rungs.js';

const eventOf: Record<ReturnCause, AuditEventType> = {
  activity: 'returned',
  policy: 'returned',
  exempt: 'returned',
  operator: 'account_reactivated',
  'self-service': 'account_reactivated',
  'admin-in-kratos': 'reactivated_externally',
};

export async function comeBack(run: LifecycleRun, back: Return): Promise<void> {
  const from = stageOf(run.state);
  const { reactivation } = run.state;
  const undoesDeactivation = back.undo.includes('deactivate');
  // Other systems are told that the account is enabled only where it is.
  let enabled = false;
  await carryOut(
    run,
    returnStep,
    async () => {
      let isLeftAlone = false;
      if (undoesDeactivation) {
        const isThorough = patched('return-ends-credentials');
        // Enabling an identity in Kratos revives its sessions, so none may be left by then. Where somebody
        // else enabled it already, the present sessions are fresh and stay.
        // guard: credentials are ended before the account is enabled
        if (isThorough && run.identity?.state === 'inactive') await endCredentials(run);
        const act = await run.outside.kratos.enableIdentity({ identityId: run.state.identityId });
        enabled = act.outcome === 'done';
        if (act.outcome === 'left-alone') {
          isLeftAlone = isThorough;
          run.audit('left_alone', `return/${Date.now()}`, 'disabled-by-admin');
        }
      }
      run.state = withReturn(run.state, back, Date.now());
      run.audit(eventOf[back.cause], `${Date.now()}`, back.cause, {
        detail: {
          from,
          undone: back.undo.join(','),
          ...(undoesDeactivation && { enabled }),
          ...(reactivation && { reason: reactivation.reason }),
        },
        ...(reactivation && { actor: reactivation.actor }),
      });
      if (undoesDeactivation && !isLeftAlone)
        await tellAfterwards(run, 'reactivated', `reactivated/${Date.now()}`);
    },
    { interruptible: false },
  );
}
