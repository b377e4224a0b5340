/**
 * The messages of a roll-out and its results. Every payload is one object with a `schemaVersion`. The command
 * line and the workers' passes import this file as well; nothing here runs.
 */
import { defineQuery, defineUpdate } from '@temporalio/workflow';

/** The name under which the workflow type is registered. */
export const policyRolloutWorkflowType = 'policyRollout';

/** @param taskQueue the task queue of the workflows. Each policy has one roll-out at a time */
export const rolloutWorkflowId = (taskQueue: string, policyId: string): string =>
  `policy-rollout/${taskQueue}/${policyId}`;

/**
 * The position of a roll-out among the sleeping lifecycles, by identity. `urgent`: those who are due within a day.
 * `rest`: everybody else who is due earlier. `late`: those who fell asleep meanwhile under an older version.
 */
export type RolloutPlace =
  | { readonly phase: 'urgent' | 'rest' | 'late'; readonly after?: string }
  | { readonly phase: 'done' };

export interface RolloutCounts {
  /** Sleeping lifecycles under an older version that were read. */
  readonly seen: number;
  /** Of these, the ones that are due earlier. */
  readonly earlier: number;
  readonly woken: number;
  /** Lifecycles that Temporal did not take the signal for, and identities that could not be judged. */
  readonly failed: number;
}

export const noRolloutCounts: RolloutCounts = { seen: 0, earlier: 0, woken: 0, failed: 0 };

/** A place and what was done up to it. Both move together, so that work repeated after a crash is counted once. */
export interface RolloutPosition {
  readonly place: RolloutPlace;
  readonly counts: RolloutCounts;
}

export interface RolloutPause {
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface RolloutProgress extends RolloutPosition {
  readonly schemaVersion: 1;
  readonly policyId: string;
  /** The version that is taken to people. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly paused?: RolloutPause;
}

export interface RolloutInput {
  readonly schemaVersion: 1;
  readonly policyId: string;
  readonly version: number;
  /** Most lifecycles woken a second. Default 20. */
  readonly perSecond?: number;
  /**
   * How long after its start the roll-out looks for lifecycles that fell asleep under an older version meanwhile,
   * milliseconds. Default 15 minutes: no decision rests on a look that is older than ten.
   */
  readonly settleMs?: number;
  /** How long one activity works before it reports its progress, milliseconds; for tests. Default 10,000. */
  readonly stretchMs?: number;
  /** Handed over at continue-as-new. */
  readonly progress?: RolloutProgress;
  /** Continue as new after this many events; for tests. */
  readonly historyLimit?: number;
}

interface Decided {
  readonly schemaVersion: 1;
  /** An opaque id, never an address. */
  readonly actor: string;
  readonly reason: string;
}

export interface PublishRollout {
  readonly schemaVersion: 1;
  /** A version that was published. */
  readonly version: number;
}

export interface RollBack extends Decided {
  /** The version whose text comes back. Default: the one before the version that is being rolled out. */
  readonly to?: number;
}

/** Takes a newer version to people instead. The one that is being rolled out already: nothing changes. */
export const publishRolloutUpdate = defineUpdate<RolloutProgress, [PublishRollout]>('publish');
/** Wakes nobody more. Answers when the last signal is out. */
export const pauseRolloutUpdate = defineUpdate<RolloutProgress, [Decided]>('pause');
export const resumeRolloutUpdate = defineUpdate<RolloutProgress, [Decided]>('resume');
/** Publishes the text of an earlier version as the next one, and takes that to people. */
export const rollBackUpdate = defineUpdate<RolloutProgress, [RollBack]>('rollBack');
/** How far the roll-out is. Answered also after its end. */
export const rolloutQuery = defineQuery<RolloutProgress>('progress');

export type DecidedRollout = Decided;
