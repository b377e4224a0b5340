/**
 * The last look: what is read just before the act, inside the same activity
 * that revokes, disables or deletes.
 */

import { giveGrantBack, useGrant } from '../breaker/asking.js';
import { readTrip } from '../breaker/trips-table.js';
import type { Trip } from '../domain/breaker/trip.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import type { Unverified } from '../domain/mail-choices.js';
import { type PlanRung, planFor } from '../domain/plan.js';
import { countedPostponements } from '../domain/postponement.js';
import type { DestructiveRung } from '../domain/rungs.js';
import { type LatestSigns, latestOf, type SignKind } from '../domain/sign-of-life.js';
import { exemptionInForce } from '../exemptions/exemptions-table.js';
import { isOnHold } from '../holds/holds-table.js';
import { readPostponements } from '../links/postponements-table.js';
import type { KratosIdentity } from '../ory/kratos-identity.js';
import type { PolicyReader } from '../policies/policies-table.js';
import type { Clock } from '../process/clock.js';
import { tryAgain } from '../process/step-error.js';
import { isEnginesWork, readDisablement } from '../standings/disablements-table.js';
import { type EvidenceDependencies, readEvidence } from './evidence.js';
import { readNotices } from './notice-proof.js';
import { readPolicy, subjectOf } from './plan-in-force.js';

export interface LookDependencies extends EvidenceDependencies {
  readonly policies: PolicyReader;
  /** How unconfirmed addresses are used. Default: see {@link mailAddresses}. */
  readonly unverified?: Unverified;
}

/** What the caller knew about the person's absence. A later sign of life stops the act. */
export interface LastLook {
  readonly identityId: string;
  /** Epoch milliseconds. */
  readonly inactiveSince: number;
  readonly keepsAlive: readonly SignKind[];
  /**
   * The rung, and how many of its postponements were known. A later postponement stops the act.
   * Absent: the rung has no such link.
   */
  readonly postponable?: Pick<PlanRung, 'rung' | 'keep'> & { readonly known: number };
  /** Keys of the notices that must still be proven. Absent: none has to be. */
  readonly notices?: readonly string[];
  /** Whether a lost answer of the mail server is enough proof. */
  readonly ambiguousCounts?: boolean;
  /**
   * The policy under which the identity must not be exempt now. Absent in looks of older builds:
   * only operators' exemptions count.
   */
  readonly policyChoice?: PolicyChoice;
  /**
   * The rung, and the inactivity after which it was due. The act is no longer due where the policy in force
   * now gives the identity more time. Absent in looks of older builds.
   */
  readonly due?: Pick<PlanRung, 'rung' | 'afterMs'>;
  /**
   * The key under which the breaker counted the act. Absent: it was not asked (older builds, or an
   * act that had an effect before).
   */
  readonly granted?: { readonly key: string; readonly action: DestructiveRung };
}

export type ActOutcome =
  | { readonly outcome: 'done' }
  /** A sign of life or a postponement came since: nothing was done. */
  | { readonly outcome: 'superseded'; readonly activity: LatestSigns }
  /** A notice that the act rests on did not arrive: nothing was done. */
  | { readonly outcome: 'unannounced' }
  /**
   * Somebody else decided about this identity, so the engine leaves it untouched. Without
   * `because`: it was disabled by hand.
   */
  | { readonly outcome: 'left-alone'; readonly because?: 'exempt' | 'hold' }
  /**
   * The breaker tripped since it let the act pass: nothing was done. Without a trip: the
   * act is not counted (any more).
   */
  | { readonly outcome: 'held'; readonly trip?: Trip }
  | { readonly outcome: 'gone' };

/**
 * What {@link whatStops} finds, and whether somebody else changed the state of the identity.
 * {@link stopped} says what follows.
 * @returns why nothing may be done
 */
export async function stopOf(
  deps: LookDependencies,
  look: LastLook,
  identity: KratosIdentity,
): Promise<ActOutcome | undefined> {
  const stateChangedAt = identity.state_changed_at ?? identity.created_at;
  // guard: an admin who enables the identity stops its deletion
  if (identity.state === 'inactive') {
    const disablement = await readDisablement(deps.pool, look.identityId);
    // guard: only the engine's own work: deleting
    if (!isEnginesWork(disablement, stateChangedAt)) return { outcome: 'left-alone' };
  } else if (stateChangedAt > look.inactiveSince) {
    // Somebody enabled it meanwhile. That decision counts, and the clock starts there.
    return { outcome: 'superseded', activity: {} };
  }
  // guard: last look inside the call that deletes or anonymises
  return whatStops(deps, look, identity);
}

/** What was decided or seen since the workflow looked, including an exemption or a hold set just now. */
export async function whatStops(
  deps: LookDependencies,
  look: LastLook,
  identity: KratosIdentity,
): Promise<ActOutcome | undefined> {
  // guard: last look: notices still proven
  if (!(await isAnnounced(deps, identity, look))) return { outcome: 'unannounced' };
  const activity = await seenSince(deps, look);
  if (activity !== undefined) return { outcome: 'superseded', activity };
  const sparing = await whatSpares(deps, look, identity);
  if (sparing !== undefined) return sparing;
  if (await isOnHold(deps.pool, look.identityId, await deps.clock.now())) {
    // guard: holds: read inside the last look
    return { outcome: 'left-alone', because: 'hold' };
  }
  // guard: breaker: asked once more inside the deed
  return heldByBreaker(deps, look);
}

/**
 * The breaker's answer may be hours old, as queues can be long. So a later trip is checked last, when nothing
 * else stops the act. From here on its place counts as used.
 */
async function heldByBreaker(
  { pool, clock }: EvidenceDependencies,
  { identityId, granted }: LastLook,
): Promise<ActOutcome | undefined> {
  if (granted === undefined) return undefined;
  const use = await useGrant(pool, { ...granted, identityId }, await clock.now());
  // guard: breaker: only what is counted is done
  if (use.outcome === 'used') return undefined;
  const trip = use.outcome === 'held' ? await readTrip(pool, use.tripId) : undefined;
  return { outcome: 'held', ...(trip && { trip }) };
}

/**
 * Returns the grant of an act that is not carried out. The grant stays where an earlier attempt may have had
 * an effect, or where the breaker itself holds the act, which then continues with the same place.
 */
export async function stopped(
  { pool }: EvidenceDependencies,
  { granted }: LastLook,
  why: ActOutcome,
): Promise<ActOutcome> {
  // guard: breaker: a stopped act gives its place back
  if (granted !== undefined && why.outcome !== 'held') await giveGrantBack(pool, granted.key);
  return why;
}

/**
 * An operator's exemption, or the policy in force now: account type, role, opt-out, exclusions, or more time
 * because the identity has changed (for example, an address was just confirmed).
 */
async function whatSpares(
  { pool, policies, clock }: LookDependencies,
  { identityId, policyChoice, due, inactiveSince }: LastLook,
  identity: KratosIdentity,
): Promise<ActOutcome | undefined> {
  const exempt = { outcome: 'left-alone', because: 'exempt' } as const;
  const exemption = await exemptionInForce(pool, identityId);
  // guard: last look: an exemption of this second
  if (exemption !== undefined) return exempt;
  if (policyChoice === undefined) return undefined;
  const { policy, reference } = await readPolicy(policies, policyChoice);
  const plan = planFor(policy, reference, subjectOf(identityId, identity, exemption));
  // guard: last look: what an admin or the policy has exempted since
  if (plan.exempt !== undefined) return exempt;
  const planned = plan.rungs.find(({ rung }) => rung === due?.rung);
  if (due === undefined || (planned !== undefined && planned.afterMs <= due.afterMs)) return undefined;
  const isDue = planned !== undefined && (await clock.now()) >= inactiveSince + planned.afterMs;
  // guard: last look: the policy in force now may give more time
  return isDue ? undefined : { outcome: 'superseded', activity: {} };
}

/** Whether every notice that the act rests on still counts. */
async function isAnnounced(
  deps: LookDependencies,
  identity: KratosIdentity,
  { notices = [], ambiguousCounts = false }: LastLook,
): Promise<boolean> {
  const found = await readNotices(deps, identity, notices);
  return found.every(({ outcome }) => outcome === 'accepted' || (ambiguousCounts && outcome === 'ambiguous'));
}

/**
 * How old a last look may be. Two calls take at most 10 s each, so only a suspended
 * process comes near this limit.
 */
const longestLookMs = 25_000;

/**
 * A process suspended between look and act may have been replaced by then, and the person may be back.
 * It must not act on the old look.
 * @throws StaleLook
 */
export async function assertFresh(clock: Clock, lookedAt: number): Promise<void> {
  const ageMs = (await clock.now()) - lookedAt;
  // guard: a halted process does not act on an old look
  if (ageMs > longestLookMs) throw tryAgain('StaleLook', `the last look was ${ageMs} ms old`);
}

/**
 * @returns the evidence, when it shows a later sign of life than the caller
 * knew, or a postponement of the rung
 */
async function seenSince(deps: EvidenceDependencies, look: LastLook): Promise<LatestSigns | undefined> {
  const activity = await readEvidence(deps, look.identityId);
  const latest = latestOf(activity, look.keepsAlive);
  if (latest !== undefined && latest > look.inactiveSince) return activity;
  // Read after Kratos' answer, as exemptions are, so that a click made just now counts.
  // guard: last look: a postponement of this second
  return (await isPostponedSince(deps, look)) ? activity : undefined;
}

async function isPostponedSince(
  { pool }: EvidenceDependencies,
  { identityId, inactiveSince, postponable }: LastLook,
): Promise<boolean> {
  if (postponable?.keep === undefined) return false;
  const all = await readPostponements(pool, identityId);
  return countedPostponements(all, postponable, inactiveSince).length > postponable.known;
}
