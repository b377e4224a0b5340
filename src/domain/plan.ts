/**
 * The plan: what a policy means for one identity, in plain numbers. Computed where Kratos and the policy are
 * read; workflows carry it and never see the policy document itself. Pure.
 */

import type { BreakerLimit, BreakerRules } from './breaker/rules.js';
import type { DeletionPlan } from './deletion.js';
import { dayMs } from './duration.js';
import type { ExemptionKind } from './exemption.js';
import { given } from './given.js';
import { jitterFor } from './jitter.js';
import type { AbsenceRules } from './lifecycle/absence.js';
import { effectiveRungs, type Ladder, withOverride } from './policy/ladder.js';
import { isSameWord, type Population, populationOf } from './policy/populations.js';
import type { Policy } from './policy/schema.js';
import type { PolicyReference } from './policy-reference.js';
import { isDestructive, type RungName, rungNames } from './rungs.js';
import { type SignKind, signKinds } from './sign-of-life.js';

export interface PlanRung {
  readonly rung: RungName;
  /** Inactivity after which the rung is due, including its jitter. Milliseconds. */
  readonly afterMs: number;
  /** Leads of the notices ahead of the rung, longest first. Milliseconds. */
  readonly noticeLeadsMs: readonly number[];
  /** Least time between the first notice (for `suspend`: the warning) and the rung. Milliseconds. */
  readonly noticeFloorMs: number;
  readonly withoutNotice: 'proceed' | 'wait';
  readonly mailAfter: boolean;
  /** For `delete`: least time between deactivation and deletion. Milliseconds. */
  readonly coolDownMs?: number;
  /** Kinds of signs of life that count for the rung. */
  readonly keepsAlive: readonly SignKind[];
  /** What "Keep my account" in its notices does. Absent: the notices have no such link. */
  readonly keep?: { readonly postponesMs: number; readonly times: number };
}

/** The cause of an exemption: the policy and an admin's fields, or an operator's own record. */
export type ExemptionCause =
  | 'account-type'
  | 'role'
  | 'opt-out'
  | 'excluded-identity'
  | 'excluded-schema'
  | 'population'
  /** An admin wrote a value that is not understood and that might exempt. */
  | 'not-understood'
  | `operator:${ExemptionKind}`;

export interface Plan {
  readonly policy: PolicyReference;
  /** Why the ladder does not apply at all. Absent: it applies. */
  readonly exempt?: ExemptionCause;
  /** Fields that an admin wrote and that are not understood. */
  readonly unclear?: readonly AdminField[];
  /** In the order of their deadlines. */
  readonly rungs: readonly PlanRung[];
  /** Kinds of signs of life that count for any rung. */
  readonly keepsAlive: readonly SignKind[];
  /** At the bottom of the ladder the workflow gets at most one signal in this time. Milliseconds. */
  readonly signalWindowMs: number;
  readonly recheckMs: number;
  /** The limits that destructive rungs must pass. Absent in histories from before the breaker existed. */
  readonly breaker?: BreakerRules;
  /** When an absent identity counts as deleted. Absent in histories from before absence took time. */
  readonly absence?: AbsenceRules;
  /**
   * Whether the person may undo a deactivation by a mail link, and how long that link
   * lives. Absent: only an operator may.
   */
  readonly selfReactivation?: { readonly linkLifetimeMs: number };
  /** What the rung `delete` does. Absent in histories from before it had parts. */
  readonly deletion?: DeletionPlan;
  readonly retry: {
    readonly attempts: number;
    readonly firstAfterMs: number;
    readonly longestAfterMs: number;
  };
}

/** The fields of `metadata_admin` that the policy looks at. */
export type AdminField = 'account_type' | 'role' | 'groups' | 'skip_stale_revocation';

/** The fields of an identity that the policy reads. */
export interface PolicySubject {
  readonly identityId: string;
  readonly schemaId: string;
  /** `metadata_admin.account_type`; absent: regular. */
  readonly accountType?: string;
  /** `metadata_admin.role`: set by an admin, so it may loosen as well as tighten. */
  readonly adminRole?: string;
  /** `metadata_admin.groups`. */
  readonly groups?: readonly string[];
  /** `traits.role`: the person may be able to write it, so it can only tighten the ladder. */
  readonly traitsRole?: string;
  /** The identity has mail addresses, and none was ever confirmed. */
  readonly unconfirmed?: true;
  /** `metadata_admin.skip_stale_revocation` is true. */
  readonly optedOut: boolean;
  /** Fields of `metadata_admin` with a value that is not understood. */
  readonly unclear?: readonly AdminField[];
  /** The exemption that an operator set. */
  readonly exemption?: ExemptionKind;
}

/** @returns the plan of one identity under one policy version */
export function planFor(policy: Policy, reference: PolicyReference, subject: PolicySubject): Plan {
  const population = populationOf(policy.populations, subject);
  const exempt = exemptionOf(policy, subject, population);
  const unclear = unclearOf(policy, subject);
  const rungs = rungsFor(policy, subject, population);
  const reactivation = selfReactivationOf(policy, subject);
  const shortest = Math.min(...rungs.map(({ afterMs, noticeLeadsMs }) => afterMs - (noticeLeadsMs[0] ?? 0)));
  return {
    policy: reference,
    ...given({ exempt }),
    ...(unclear.length > 0 && { unclear }),
    rungs,
    keepsAlive: signKinds.filter((kind) => rungs.some(({ keepsAlive }) => keepsAlive.includes(kind))),
    signalWindowMs: Math.floor(Math.min(policy.signalWindow, shortest / 20)),
    recheckMs: policy.recheck,
    breaker: breakerRules(policy),
    absence: {
      looks: policy.absence.looks,
      overMs: policy.absence.over,
      graceMs: policy.absence.grace,
    },
    ...given({ selfReactivation: reactivation }),
    deletion: deletionPlan(policy),
    retry: {
      attempts: policy.retry.attempts,
      firstAfterMs: policy.retry.firstAfter,
      longestAfterMs: policy.retry.longestAfter,
    },
  };
}

function deletionPlan({ deletion }: Policy): DeletionPlan {
  const { action, anonymousTraits, refuseIdentifiersFor, export: hook } = deletion;
  return {
    action,
    ...given({ anonymousTraits, refuseIdentifiersForMs: refuseIdentifiersFor }),
    ...(hook === undefined
      ? {}
      : { export: { taskQueue: hook.taskQueue, activity: hook.activity, timeoutMs: hook.timeout } }),
  };
}

/** The default where a policy does not set it. */
const usualCoolDownMs = 30 * dayMs;

/** As the policy says. Otherwise thirty days, or the time between both rungs where that is shorter. */
function coolDownOf({ deletion }: Policy, ladder: Ladder): number {
  if (ladder.deactivate === undefined || ladder.delete === undefined) return 0;
  const between = Math.max(0, ladder.delete.after - ladder.deactivate.after);
  return Math.min(between, deletion.coolDown ?? usualCoolDownMs);
}

/** The limits of the breaker under a policy. */
export function breakerRules({ breaker }: Pick<Policy, 'breaker'>): BreakerRules {
  const { stall } = breaker;
  return {
    windowMs: breaker.window,
    limits: {
      revoke: breakerLimit(breaker.limits.revoke),
      deactivate: breakerLimit(breaker.limits.deactivate),
      delete: breakerLimit(breaker.limits.delete),
      bury: breakerLimit(breaker.limits.bury),
      endPersonal: breakerLimit(breaker.limits.endPersonal),
      endRefresh: breakerLimit(breaker.limits.endRefresh),
    },
    percentFrom: breaker.percentFrom,
    operators: breaker.release.operators,
    ...(stall === 'off'
      ? {}
      : { stall: { windowMs: stall.window, baselineMs: stall.baseline, belowPercent: stall.below } }),
    clockToleranceMs: breaker.clockTolerance,
  };
}

function exemptionOf(
  policy: Policy,
  subject: PolicySubject,
  population: Population | undefined,
): ExemptionCause | undefined {
  // guard: exempt by an operator
  if (subject.exemption !== undefined) return `operator:${subject.exemption}`;
  const excluded = policy.exclusions.identities.some(({ id }) => id.toLowerCase() === subject.identityId);
  // guard: exempt by exclusion
  if (excluded) return 'excluded-identity';
  if (policy.exclusions.schemas.includes(subject.schemaId)) return 'excluded-schema';
  // guard: exempt by account type
  if (ofWord(policy.accountTypes, subject.accountType) === 'never') return 'account-type';
  if (ofWord(policy.roles, subject.adminRole) === 'never') return 'role';
  // guard: exempt by population
  if (population?.ladder === 'never') return 'population';
  // guard: exempt by opt-out
  if (policy.honourOptOut && subject.optedOut) return 'opt-out';
  return unclearOf(policy, subject).length > 0 ? 'not-understood' : undefined;
}

/** A value that is not understood might exempt, so nothing harsher is done than with an exemption. */
function unclearOf(policy: Policy, { unclear = [] }: PolicySubject): readonly AdminField[] {
  const asksForGroups = policy.populations.some(({ when }) => when.groups !== undefined);
  return unclear.filter((field) => {
    if (field === 'groups') return asksForGroups;
    return field !== 'skip_stale_revocation' || policy.honourOptOut;
  });
}

/** Looks the word up as written, or else takes the only key that differs from it in case alone. */
function ofWord<Value>(byWord: Readonly<Record<string, Value>>, word: string | undefined): Value | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(byWord, word)) return byWord[word];
  const alike = Object.keys(byWord).filter((known) => isSameWord(known, word));
  return alike.length === 1 && alike[0] !== undefined ? byWord[alike[0]] : undefined;
}

/** A role from the traits counts as well. The person may have written it, but here it can only forbid. */
function selfReactivationOf(policy: Policy, subject: PolicySubject): Plan['selfReactivation'] {
  const allowed = policy.selfService?.reactivation;
  if (allowed === undefined) return undefined;
  const roles = [subject.adminRole, subject.traitsRole];
  if (
    roles.some((role) => role !== undefined && allowed.exceptRoles.some((except) => isSameWord(except, role)))
  )
    return undefined;
  return { linkLifetimeMs: allowed.linkLifetime };
}

function keepOf(policy: Policy, rung: RungName): Pick<PlanRung, 'keep'> {
  const keep = policy.selfService?.keep;
  if (keep === undefined || !(keep.rungs as readonly RungName[]).includes(rung)) return {};
  return { keep: { postponesMs: keep.postpones, times: keep.times } };
}

function rungsFor(policy: Policy, subject: PolicySubject, population: Population | undefined): PlanRung[] {
  const own = population?.ladder;
  const base = own === undefined || own === 'never' ? policy.ladder : own;
  const byAdmin = ladderOfRole(policy, base, subject.adminRole);
  if (byAdmin !== undefined) return planRungs(policy, byAdmin, subject.identityId);
  const override = subject.unconfirmed === true ? policy.unconfirmed : undefined;
  const ladder = override === undefined ? base : withOverride(base, override);
  const byTraits = ladderOfRole(policy, base, subject.traitsRole);
  // guard: a role that the person can write only tightens
  if (byTraits !== undefined && isStricter(byTraits, ladder)) {
    return planRungs(policy, byTraits, subject.identityId);
  }
  return planRungs(policy, ladder, subject.identityId);
}

function ladderOfRole(policy: Policy, base: Ladder, role: string | undefined): Ladder | undefined {
  const override = ofWord(policy.roles, role);
  return override === undefined || override === 'never' ? undefined : withOverride(base, override);
}

/**
 * Whether no rung of `candidate` comes later, waits longer or waits for more
 * notices than the same rung of `base`.
 */
function isStricter(candidate: Ladder, base: Ladder): boolean {
  return rungNames.every((rung) => {
    const [values, other] = [base[rung], candidate[rung]];
    return values === undefined || (other !== undefined && waitsNoLonger(other, values));
  });
}

type RungValues = NonNullable<Ladder[RungName]>;

function waitsNoLonger(candidate: RungValues, base: RungValues): boolean {
  const [floor, baseFloor] = [candidate, base].map((one) => ('noticeFloor' in one ? one.noticeFloor : 0));
  const [leads, baseLeads] = [candidate, base].map((one) => ('notices' in one ? one.notices : []));
  const [waits, baseWaits] = [candidate, base].map(
    (one) => 'withoutNotice' in one && one.withoutNotice === 'wait',
  );
  return (
    candidate.after <= base.after &&
    (floor ?? 0) <= (baseFloor ?? 0) &&
    (leads ?? []).length <= (baseLeads ?? []).length &&
    (leads?.[0] ?? 0) <= (baseLeads?.[0] ?? 0) &&
    (waits !== true || baseWaits === true)
  );
}

function planRungs(policy: Policy, ladder: Ladder, identityId: string): PlanRung[] {
  return effectiveRungs(ladder).map(([rung, values]) => ({
    rung,
    // guard: jitter makes a rung later, never earlier
    afterMs: values.after + jitterFor(identityId, rung, policy.jitter),
    noticeLeadsMs: 'notices' in values ? values.notices : [],
    noticeFloorMs: 'noticeFloor' in values ? values.noticeFloor : 0,
    withoutNotice: isDestructive(rung) && 'withoutNotice' in values ? values.withoutNotice : 'proceed',
    mailAfter: 'mailAfter' in values ? values.mailAfter : false,
    keepsAlive: values.keepsAlive ?? policy.keepsAlive,
    ...keepOf(policy, rung),
    ...(rung === 'delete' ? { coolDownMs: coolDownOf(policy, ladder) } : {}),
  }));
}

type LimitInPolicy = Policy['breaker']['limits'][keyof Policy['breaker']['limits']];

function breakerLimit({ atMost, percent }: LimitInPolicy): BreakerLimit {
  return atMost === 'none' ? { percent } : { atMost, percent };
}
