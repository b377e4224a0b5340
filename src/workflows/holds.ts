/**
 * Operators' holds. Decisions use the memory. PostgreSQL keeps the holds too, so that they outlive this
 * workflow, and each last look reads them there. A hold that was answered is in both.
 */

import { patched } from '@temporalio/workflow';
import { normalText } from '../domain/free-text.js';
import { given } from '../domain/given.js';
import { withHold, withHoldRenamed, withoutHold } from '../domain/lifecycle/hold-transitions.js';
import type { Hold } from '../domain/lifecycle/holds.js';
import { chooseHold } from '../domain/lifecycle/holds.js';
import type { LifecycleRun } from './lifecycle-run.js';
import type { HoldUpdate, ReleaseUpdate } from './messages.js';
import { requestKey } from './request-key.js';

/** In force in memory at once. Answered when PostgreSQL has it. */
export function hold(run: LifecycleRun, update: HoldUpdate): Promise<void> | void {
  if (!patched('holds-in-postgres')) {
    const set = remember(run, update);
    return auditSet(run, set);
  }
  return inTurn(run, async () => {
    const set = remember(run, update);
    run.ask();
    const { identityId } = run.state;
    const kept = await run.atOnce.ledger.keepHold({ identityId, hold: set, requestKey: requestKey() });
    run.state = withHoldRenamed(run.state, set.id, kept.id);
    // A hold of an earlier time was set by the same request before there was a lifecycle, and audited then.
    if (kept.since === set.since) auditSet(run, { ...set, id: kept.id });
  });
}

function remember(run: LifecycleRun, { actor, reason, until, kind }: HoldUpdate): Hold {
  const since = Date.now();
  const hold = { actor, reason: normalText(reason), until, since, ...given({ kind }) };
  run.state = withHold(run.state, hold);
  return { ...hold, id: `h${run.state.holdsSet}` };
}

function auditSet(run: LifecycleRun, { id: holdId, actor, reason, until, kind }: Hold): void {
  const detail = { reason, until, holdId, ...given({ kind }) };
  run.audit('hold_set', requestKey(), 'done', { actor, detail });
}

/** Stays in memory until PostgreSQL has ended it. */
export function release(run: LifecycleRun, update: ReleaseUpdate): Promise<void> | void {
  if (!patched('holds-in-postgres')) return forget(run, update);
  return inTurn(run, async () => {
    const chosen = chooseHold(run.state.holds ?? [], update);
    if ('problem' in chosen) return;
    const { identityId } = run.state;
    await run.atOnce.ledger.endHold({ identityId, holdId: chosen.hold.id, at: Date.now() });
    forget(run, { ...update, holdId: chosen.hold.id });
  });
}

function forget(run: LifecycleRun, { actor, reason, ...choice }: ReleaseUpdate): void {
  const chosen = chooseHold(run.state.holds ?? [], choice);
  // The hold was in force when the request was validated. If it no longer fits,
  // nothing else is ended in its place.
  if ('problem' in chosen) return;
  const { id: holdId, kind } = chosen.hold;
  run.state = withoutHold(run.state, holdId, Date.now());
  const detail = { reason: normalText(reason), holdId, ...given({ kind }) };
  run.audit('hold_released', requestKey(), 'done', { actor, detail });
}

/** Once per lifecycle: moves holds that an older build kept only in memory to PostgreSQL. */
export async function keepHoldsOfBefore(run: LifecycleRun): Promise<void> {
  if (run.state.holdsKept || !patched('holds-in-postgres')) return;
  const { identityId, holds = [] } = run.state;
  if (holds.length > 0) {
    await inTurn(run, () => run.outside.ledger.takeOverHolds({ identityId, holds }));
  }
  run.state = { ...run.state, holdsKept: true };
}

/**
 * One change at a time: ids are given in order, and a look can tell whether it may
 * have read a hold in mid-change.
 */
async function inTurn(run: LifecycleRun, change: () => Promise<void>): Promise<void> {
  const before = run.holdsTurn;
  let pass = () => {};
  run.holdsTurn = new Promise((resolve) => {
    pass = resolve;
  });
  await before;
  run.holdChanges += 1;
  try {
    await change();
  } finally {
    run.holdChanges += 1;
    pass();
  }
}
