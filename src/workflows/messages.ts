/**
 * The messages of a lifecycle workflow: its input, signals, updates and queries. Every payload is one object
 * with a `schemaVersion`. The client imports this file as well; nothing here runs.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { HoldChoice, HoldKind } from '../domain/lifecycle/holds.js';
import type { EarlierState } from '../domain/lifecycle/state.js';
import type { LatestSigns, SignKind } from '../domain/sign-of-life.js';
import type { LiveStanding, Standing } from '../domain/standing.js';

/** The name under which the workflow type is registered. */
export const lifecycleWorkflowType = 'identityLifecycle';

export interface LifecycleInput {
  readonly schemaVersion: 1;
  readonly identityId: string;
  /** Without `version`: always the latest published one. */
  readonly policy: { readonly id: string; readonly version?: number };
  /** Known signs of life at enrolment. Epoch milliseconds. */
  readonly activity?: LatestSigns;
  /** Handed over at continue-as-new. */
  readonly state?: EarlierState;
  /** Continue as new after this many events; for tests. */
  readonly historyLimit?: number;
  /** Continue as new at this age of the run, milliseconds; 0: at any age. For tests. */
  readonly runAgeLimitMs?: number;
}

export interface LifecycleResult {
  readonly schemaVersion: 1;
  /** `deleted`: by the engine, after notice. `gone`: Kratos does not know the identity. */
  readonly outcome: 'deleted' | 'gone';
}

/** The workflow's type, for callers that start or continue it. */
export type LifecycleWorkflow = (input: LifecycleInput) => Promise<LifecycleResult>;

export interface UserActivitySignal {
  readonly schemaVersion: 1;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: SignKind;
  readonly source: string;
}

interface OperatorRequest {
  readonly schemaVersion: 1;
  /** Opaque id of the operator or program, never an e-mail address. */
  readonly actor: string;
}

export interface ApplyPolicyUpdate extends OperatorRequest {
  readonly policyId: string;
  /** Absent: follow the latest published version. */
  readonly version?: number;
}

export interface HoldUpdate extends OperatorRequest {
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly until: number;
  /** Absent from older clients: such a hold replaces the earlier hold without a kind. */
  readonly kind?: HoldKind;
}

/** Without id and kind it means the only hold that is not legal. */
export interface ReleaseUpdate extends OperatorRequest, HoldChoice {
  readonly reason: string;
}

export interface ReactivateUpdate extends OperatorRequest {
  readonly reason: string;
  /**
   * By the person's own link, made for the deactivation of this time (epoch milliseconds). Refused unless the
   * identity is still in that deactivation and its policy lets the person return.
   */
  readonly linkFor?: number;
}

export interface RequestReactivationLinkUpdate {
  readonly schemaVersion: 1;
}

export type RetryParkedUpdate = OperatorRequest;

export interface SkipParkedUpdate extends OperatorRequest {
  readonly reason: string;
}

/**
 * A sign of life. Late, duplicate and out-of-order signs are harmless; a time
 * in the future is clamped to now.
 */
export const userActivitySignal = defineSignal<[UserActivitySignal]>('userActivity');
/**
 * Look at Kratos again now: the sender has reason to think that the identity is
 * gone. Changes nothing by itself.
 */
export const lookAgainSignal = defineSignal<[{ readonly schemaVersion: 1 }]>('lookAgain');
/** Follow another policy, or another version of it. */
export const applyPolicyUpdate = defineUpdate<Standing, [ApplyPolicyUpdate]>('applyPolicy');
/** The failure type where the existence of the policy could not be checked. */
export const policyNotChecked = 'PolicyNotChecked';
/** The failure type of a request that arrives while the end of the lifecycle is being written. */
export const lifecycleEnded = 'LifecycleEnded';
/** Stop all rungs and mails until a set time. */
export const holdUpdate = defineUpdate<Standing, [HoldUpdate]>('hold');
/** End a hold early. */
export const releaseUpdate = defineUpdate<Standing, [ReleaseUpdate]>('release');
/** Bring a deactivated identity back. Answers when it is enabled in Kratos. */
export const reactivateUpdate = defineUpdate<Standing, [ReactivateUpdate]>('reactivate');
/**
 * Mail the person a link that ends the deactivation. Refused, and so without a trace in history, where it is
 * not allowed or was requested too recently. Answers when the mail is on its way, or could not be sent.
 */
export const requestReactivationLinkUpdate = defineUpdate<Standing, [RequestReactivationLinkUpdate]>(
  'requestReactivationLink',
);
/** Retry the step that failed for good. */
export const retryParkedUpdate = defineUpdate<Standing, [RetryParkedUpdate]>('retryParked');
/** Skip the step that failed for good. docs/holds-and-parked.md says what that means for each step. */
export const skipParkedUpdate = defineUpdate<Standing, [SkipParkedUpdate]>('skipParked');
/** Where the identity stands, what comes next, when, and why. */
export const standingQuery = defineQuery<LiveStanding>('standing');
