/** Follows a change of address while a notice runs, so that nobody is deleted without having been told. */
import { patched } from '@temporalio/workflow';
import { followFloorMs, inactiveSinceFor } from '../../domain/lifecycle/clock.js';
import type { Decision } from '../../domain/lifecycle/decide.js';
import { withNoticeFollowed } from '../../domain/lifecycle/notice-transitions.js';
import { withWarning } from '../../domain/lifecycle/transitions.js';
import type { DestructiveRung } from '../../domain/rungs.js';
import { carryOut } from '../carry-out.js';
import type { LifecycleRun } from '../lifecycle-run.js';

/**
 * Whether new addresses must be told before the decision is carried out. An exempt
 * identity, or one on hold, gets no mail.
 */
export function mustFollow(run: LifecycleRun, decision: Decision): boolean {
  if (run.moved.length === 0) return false;
  // Anonymising has begun, and the new address belongs to the shell.
  // guard: a shell's address is no change of address
  if (run.state.rungs.delete !== undefined && patched('no-mail-follows-a-shell')) return false;
  if (decision.kind !== 'wait') return decision.kind === 'notice' || decision.kind === 'rung';
  const by = decision.blocked?.by;
  return by === undefined || by === 'breaker' || by === 'no-notice';
}

export async function followAddresses(run: LifecycleRun): Promise<void> {
  const running = run.moved;
  // The latest notice: it covers the earlier ones, and is the nearest to the date.
  const notice = running.at(-1);
  if (notice === undefined) return;
  const { key, rung, leadMs } = notice;
  const action = rung as DestructiveRung;
  await carryOut(
    run,
    `follow:${action}`,
    async () => {
      const now = Date.now();
      const earliest = now + followFloorMs(leadMs);
      const result = await run.outside.mail.followAddresses({
        identityId: run.state.identityId,
        kind: `notice-${action}`,
        key,
        running: running.map((other) => other.key),
        inactiveForMs: Math.max(0, now - inactiveSinceFor(run.state, run.plan, rung)),
        upcoming: { action, at: Math.max(notice.announcedAt ?? earliest, earliest) },
      });
      const { added, former, deferred } = result;
      if (added > 0) run.state = withNoticeFollowed(run.state, key, Date.now());
      if (deferred > 0) run.state = withWarning(run.state, `mail-notice-${action}-deferred`);
      run.moved = [];
      run.audit('addresses_followed', `${key}/${now}`, 'done', { detail: { rung, added, former, deferred } });
    },
    { interruptible: true },
  );
}
