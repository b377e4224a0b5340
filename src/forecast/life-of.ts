/** A lifecycle's memory, put together again from what its last standing shows and from what was read since. Pure. */
import type { FoundIdentity } from '../domain/lifecycle/assessment.js';
import { formerOf, withFormer } from '../domain/lifecycle/former.js';
import type { NoticeRecord } from '../domain/lifecycle/notice-record.js';
import { initialState, type LifecycleState } from '../domain/lifecycle/state.js';
import type { Plan } from '../domain/plan.js';
import type { Postponement } from '../domain/postponement.js';
import { type LatestSigns, latestOf, mergeSigns } from '../domain/sign-of-life.js';
import type { Standing } from '../domain/standing.js';
import type { MailFate } from './deed.js';
import type { Life } from './walk.js';

/** What is known of one identity. Times in epoch milliseconds. */
export interface Known {
  readonly standing: Standing;
  readonly identity: FoundIdentity;
  /** The plan that the standing came about by: it has the thresholds of the rungs that are done. */
  readonly planInForce: Plan;
  /** Signs of life recorded since the standing. */
  readonly activity: LatestSigns;
  readonly postponements: readonly Postponement[];
  /** The date of the suspension that the last warning named. Absent: none, or not known. */
  readonly announcedAt?: number;
  /** Whether a mail would go to any address. */
  readonly hasAddress: boolean;
}

/** @param now when the look is taken, epoch milliseconds */
export function lifeOf(known: Known, plan: Plan, now: number): Life {
  const { identity } = known;
  return { state: stateOf(known, now), plan, identity, mailFate: mailFateOf(known) };
}

function stateOf(known: Known, now: number): LifecycleState {
  const { standing, planInForce, postponements, announcedAt } = known;
  const { identityId, holds, parked } = standing;
  const policyChoice = { id: planInForce.policy.id };
  const former = withFormer(
    initialState(identityId, policyChoice, now),
    formerOf(standing),
    planInForce,
    now,
  );
  const { warn } = former.rungs;
  return {
    ...former,
    baselineAt: baselineOf(standing, planInForce),
    activity: mergeSigns(former.activity, known.activity, now),
    known: true,
    ...(warn !== undefined &&
      announcedAt !== undefined && { rungs: { ...former.rungs, warn: { ...warn, announcedAt } } }),
    ...(holds !== undefined &&
      holds.length > 0 && { holds, holdsSet: holds.length, holdsKept: true as const }),
    ...(parked !== undefined && { parked }),
    ...(postponements.length > 0 && { postponements }),
  };
}

/**
 * The start of the clock, where the standing shows it: it counted instead of a sign of life. Otherwise it lies before
 * the last sign, and what Kratos says of the identity is all that may matter.
 */
function baselineOf({ lastActiveAt, activity }: Standing, { keepsAlive }: Plan): number {
  return lastActiveAt > (latestOf(activity, keepsAlive) ?? 0) ? lastActiveAt : 0;
}

/** A mailbox that refused the last notice is taken to refuse the next one, too. */
function mailFateOf({ hasAddress, standing }: Known): MailFate {
  if (!hasAddress) return 'no-address';
  const last = standing.notices.reduce<NoticeRecord | undefined>(
    (latest, one) => (latest === undefined || one.at > latest.at ? one : latest),
    undefined,
  );
  return last?.outcome === 'rejected' || last?.outcome === 'bounced' ? 'rejected' : 'accepted';
}
