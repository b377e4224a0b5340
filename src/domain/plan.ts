/**
 * The plan: what a policy means for one identity, in plain numbers. Computed where Kratos and the policy are read;
 * workflows carry it and never see the policy document itself. Pure.
 */

import type { BreakerLimit, BreakerRules } from './breaker/rules.js';
import type { DeletionPlan } from './deletion.js';
import { dayMs } from './duration.js';
import type { ExemptionKind } from './exemption.js';
import { given } from './given.js';
import { jitterFor } from './jitter.js';
import type { AbsenceRules } from './lifecycle/absence.js';
import { effectiveRungs, type Ladder, withOverride } from './policy/ladder.js';
import type { Policy } from './policy/schema.js';
import type { PolicyReference } from './policy-reference.js';
import { isDestructive, type RungName, rungNames } from './rungs.js';
import { type ActivityKind, activityKinds } from './sign-of-life.js';

export interface PlanRung {
  readonly rung: RungName;
  /** Inactivity after which the rung is due, its jitter included. Milliseconds. */
  readonly afterMs: number;
  /** Leads of the notices ahead of it, longest first. Milliseconds. */
  readonly noticeLeadsMs: readonly number[];
  /** Least time between the first notice (for `suspend`: the warning) and the rung. Milliseconds. */
  readonly noticeFloorMs: number;
  readonly withoutNotice: 'proceed' | 'wait';
  readonly mailAfter: boolean;
  /** For `delete`: least time that the account is deactivated before. Milliseconds. */
  readonly coolDownMs?: number;
  /** Kinds of activity that count for it. */
  readonly keepsAlive: readonly ActivityKind[];
  /** What "Keep my account" in its notices does; absent: there is no such link. */
  readonly keep?: { readonly postponesMs: number; readonly times: number };
}

/** What exempts: the policy by what an admin wrote, or an operator's own record. */
export type ExemptionCause =
  | 'account-type'
  | 'role'
  | 'opt-out'
  | 'excluded-identity'
  | 'excluded-schema'
  /** An admin wrote something that nobody understands, and that might exempt. */
  | 'not-understood'
  | `operator:${ExemptionKind}`;

export interface Plan {
  readonly policy: PolicyReference;
  /** Why the ladder does not apply at all; absent when it does. */
  readonly exempt?: ExemptionCause;
  /** What an admin wrote and is not understood. */
  readonly unclear?: readonly AdminField[];
  /** In the order in which they come due. */
  readonly rungs: readonly PlanRung[];
  /** Kinds of activity that count for any rung. */
  readonly keepsAlive: readonly ActivityKind[];
  /** At the bottom of the ladder the workflow is told of activity at most once in this time. Milliseconds. */
  readonly signalWindowMs: number;
  readonly recheckMs: number;
  /** What destructive rungs have to pass. Absent in histories from before there was a breaker. */
  readonly breaker?: BreakerRules;
  /** When an absent identity is taken for deleted. Absent in histories from before absence took time. */
  readonly absence?: AbsenceRules;
  /** Whether, and by a mail link of which lifetime, the person may undo a deactivation; absent: an operator only. */
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
export type AdminField = 'account_type' | 'role' | 'skip_stale_revocation';

/** What the policy looks at in an identity. */
export interface PolicySubject {
  readonly identityId: string;
  readonly schemaId: string;
  /** `metadata_admin.account_type`; absent: regular. */
  readonly accountType?: string;
  /** `metadata_admin.role`: set by an admin, so it may loosen as well as tighten. */
  readonly adminRole?: string;
  /** `traits.role`: the person may be able to write it, so it only ever tightens. */
  readonly traitsRole?: string;
  /** It has mail addresses, and none was ever confirmed. */
  readonly unconfirmed?: true;
  /** `metadata_admin.skip_stale_revocation` is true. */
  readonly optedOut: boolean;
  /** Fields of `metadata_admin` that say something, and nobody knows what. */
  readonly unclear?: readonly AdminField[];
  /** The exemption that an operator set. */
  readonly exemption?: ExemptionKind;
}

/** @returns the plan of one identity under one policy version */
export function planFor(policy: Policy, reference: PolicyReference, subject: PolicySubject): Plan {
  const exempt = exemptionOf(policy, subject);
  const unclear = unclearOf(policy, subject);
  const rungs = rungsFor(policy, subject);
  const reactivation = selfReactivationOf(policy, subject);
  const shortest = Math.min(...rungs.map(({ afterMs, noticeLeadsMs }) => afterMs - (noticeLeadsMs[0] ?? 0)));
  return {
    policy: reference,
    ...given({ exempt }),
    ...(unclear.length > 0 && { unclear }),
    rungs,
    keepsAlive: activityKinds.filter((kind) => rungs.some(({ keepsAlive }) => keepsAlive.includes(kind))),
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

/** Where a policy does not say. */
const usualCoolDownMs = 30 * dayMs;

/** As long as the policy says; otherwise thirty days, or what lies between both rungs where that is less. */
function coolDownOf({ deletion }: Policy, ladder: Ladder): number {
  if (ladder.deactivate === undefined || ladder.delete === undefined) return 0;
  const between = Math.max(0, ladder.delete.after - ladder.deactivate.after);
  return Math.min(between, deletion.coolDown ?? usualCoolDownMs);
}

/** What the breaker allows under a policy. */
export function breakerRules({ breaker }: Pick<Policy, 'breaker'>): BreakerRules {
  const { stall } = breaker;
  return {
    windowMs: breaker.window,
    limits: {
      revoke: breakerLimit(breaker.limits.revoke),
      deactivate: breakerLimit(breaker.limits.deactivate),
      delete: breakerLimit(breaker.limits.delete),
      bury: breakerLimit(breaker.limits.bury),
    },
    percentFrom: breaker.percentFrom,
    operators: breaker.release.operators,
    ...(stall === 'off'
      ? {}
      : { stall: { windowMs: stall.window, baselineMs: stall.baseline, belowPercent: stall.below } }),
    clockToleranceMs: breaker.clockTolerance,
  };
}

function exemptionOf(policy: Policy, subject: PolicySubject): ExemptionCause | undefined {
  if (subject.exemption !== undefined) return `operator:${subject.exemption}`;
  const excluded = policy.exclusions.identities.some(({ id }) => id.toLowerCase() === subject.identityId);
  if (excluded) return 'excluded-identity';
  if (policy.exclusions.schemas.includes(subject.schemaId)) return 'excluded-schema';
  if (ofWord(policy.accountTypes, subject.accountType) === 'never') return 'account-type';
  if (ofWord(policy.roles, subject.adminRole) === 'never') return 'role';
  if (policy.honourOptOut && subject.optedOut) return 'opt-out';
  return unclearOf(policy, subject).length > 0 ? 'not-understood' : undefined;
}

/** What is not understood might exempt: nothing harsher is done than if it did. */
function unclearOf(policy: Policy, { unclear = [] }: PolicySubject): readonly AdminField[] {
  return unclear.filter((field) => field !== 'skip_stale_revocation' || policy.honourOptOut);
}

/** By the word as it is written, or else by the only one that differs in nothing but case. */
function ofWord<Value>(byWord: Readonly<Record<string, Value>>, word: string | undefined): Value | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(byWord, word)) return byWord[word];
  const alike = Object.keys(byWord).filter((known) => isSameWord(known, word));
  return alike.length === 1 && alike[0] !== undefined ? byWord[alike[0]] : undefined;
}

const isSameWord = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** A role from the traits counts as well: the person may have written it, but all that it does here is to forbid. */
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

function rungsFor(policy: Policy, subject: PolicySubject): PlanRung[] {
  const byAdmin = ladderOfRole(policy, subject.adminRole);
  if (byAdmin !== undefined) return planRungs(policy, byAdmin, subject.identityId);
  const override = subject.unconfirmed === true ? policy.unconfirmed : undefined;
  const ladder = override === undefined ? policy.ladder : withOverride(policy.ladder, override);
  const byTraits = ladderOfRole(policy, subject.traitsRole);
  if (byTraits !== undefined && isStricter(byTraits, ladder)) {
    return planRungs(policy, byTraits, subject.identityId);
  }
  return planRungs(policy, ladder, subject.identityId);
}

function ladderOfRole(policy: Policy, role: string | undefined): Ladder | undefined {
  const override = ofWord(policy.roles, role);
  return override === undefined || override === 'never' ? undefined : withOverride(policy.ladder, override);
}

/** Whether no rung of `candidate` comes later than the same rung of `base`, or waits longer or for more notices. */
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
