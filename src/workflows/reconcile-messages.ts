/**
 * The messages of a reconciliation and its results. Every payload is one object with a `schemaVersion`. The
 * command line and the schedule import this file as well; nothing here runs.
 */
import { defineQuery } from '@temporalio/workflow';
import type { RungName } from '../domain/rungs.js';

/** The name under which the workflow type is registered. */
export const reconcileWorkflowType = 'reconcile';

/** @param taskQueue the task queue of the workflows; each has one scheduled reconciliation */
export const reconcileScheduleId = (taskQueue: string): string => `reconcile/${taskQueue}`;
/** The workflow ID of `dormouse server enrol --all`: requested twice, it runs once. */
export const enrolAllWorkflowId = (taskQueue: string): string => `enrol-all/${taskQueue}`;
/** The workflow ID of `dormouse server enrol --all --dry-run`. */
export const previewWorkflowId = (taskQueue: string): string => `enrol-all-preview/${taskQueue}`;

export interface ReconcileOptions {
  /** The policy of the lifecycles that are started. */
  readonly policyId: string;
  /** Most lifecycles started (in a preview: looked at) a second. */
  readonly startsPerSecond: number;
  /** Most lists requested from Kratos a second. */
  readonly kratosCallsPerSecond: number;
  /** The first looks of enrolled identities are spread over this time, milliseconds; 0: all at once. */
  readonly spreadMs: number;
  /** Identities per list, 1 to 500. */
  readonly pageSize: number;
  /**
   * Changes nothing: counts the identities that would be enrolled, and the rungs
   * that they would be overdue for.
   */
  readonly dryRun: boolean;
  /**
   * Tries a start for every identity, even where the projection has a lifecycle:
   * after a loss of Temporal's data.
   */
  readonly distrustProjection: boolean;
}

export interface ReconcileInput {
  readonly schemaVersion: 1;
  readonly options: ReconcileOptions;
  /** Handed over at continue-as-new. */
  readonly progress?: ReconcileProgress;
  /** Continue as new after this many events; for tests. */
  readonly historyLimit?: number;
  /** How long one activity works before it reports its progress, milliseconds; for tests. Default 10,000. */
  readonly stretchMs?: number;
}

/**
 * The position of a sweep: first through Kratos' identities, then through the
 * lifecycles that PostgreSQL knows.
 */
export type Place =
  | { readonly phase: 'identities'; readonly pageToken?: string }
  | { readonly phase: 'lifecycles'; readonly after?: string }
  | { readonly phase: 'done' };

/** What an identity without a lifecycle would be overdue for: the harshest rung, or why there is none. */
export type PreviewClass = RungName | 'nothing' | 'exempt' | 'not-understood' | 'disabled-by-hand';
export type Preview = Readonly<Partial<Record<PreviewClass, number>>>;

/**
 * The first mails that the enrolment would send, by days from now, to confirmed and to unconfirmed addresses.
 * `later`: after {@link forecastDays}.
 */
export type MailForecast = Readonly<
  Record<string, { readonly verified: number; readonly unverified: number }>
>;
export const forecastDays = 30;

export interface ReconcileCounts {
  /** Lists read: of Kratos' identities and of lifecycles. */
  readonly pages: number;
  /** Identities that Kratos listed. */
  readonly seen: number;
  /** Lifecycles started; in a preview: that would be started. */
  readonly started: number;
  readonly alreadyRunning: number;
  /** Lifecycles whose identity was looked up. */
  readonly checked: number;
  /** Lifecycles that were sent `lookAgain`, because Kratos no longer lists their identity. */
  readonly gone: number;
  /** Identities skipped because of an error of their own; the log names them. */
  readonly failed: number;
}

/**
 * A place and what was done up to it. Both move together, so that work repeated
 * after a crash is counted once.
 */
export interface SweepPosition {
  readonly place: Place;
  readonly counts: ReconcileCounts;
  readonly preview: Preview;
  /** For a preview. Absent: no mail so far. */
  readonly mails?: MailForecast;
}

export interface ReconcileProgress extends SweepPosition {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Number of identities that Kratos reports; absent where it reports none. */
  readonly expected?: number;
}

export interface ReconcileResult extends ReconcileCounts {
  readonly schemaVersion: 1;
  readonly dryRun: boolean;
  readonly preview: Preview;
  readonly mails?: MailForecast;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export const noCounts: ReconcileCounts = {
  pages: 0,
  seen: 0,
  started: 0,
  alreadyRunning: 0,
  checked: 0,
  gone: 0,
  failed: 0,
};

/** The progress of the reconciliation. */
export const progressQuery = defineQuery<ReconcileProgress>('progress');
