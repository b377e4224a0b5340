/**
 * What may be said to a reconciliation, and what it says of itself. Every payload is one object with a `schemaVersion`.
 * Imported by the command line and the schedule as well; nothing here runs.
 */
import { defineQuery } from '@temporalio/workflow';
import type { RungName } from '../domain/rungs.js';

/** The name under which the workflow type is registered. */
export const reconcileWorkflowType = 'reconcile';

/** @param taskQueue the task queue of the workflows; one reconciliation by schedule for each */
export const reconcileScheduleId = (taskQueue: string): string => `reconcile/${taskQueue}`;
/** The workflow ID of `dormouse enrol --all`: asked for twice, it runs once. */
export const enrolAllWorkflowId = (taskQueue: string): string => `enrol-all/${taskQueue}`;
/** The workflow ID of `dormouse enrol --all --dry-run`. */
export const previewWorkflowId = (taskQueue: string): string => `enrol-all-preview/${taskQueue}`;

export interface ReconcileOptions {
  /** The policy of the lifecycles that are started. */
  readonly policyId: string;
  /** Lifecycles started (in a preview: looked at) a second, at most. */
  readonly startsPerSecond: number;
  /** Lists asked of Kratos a second, at most. */
  readonly kratosCallsPerSecond: number;
  /** The first looks of those who are enrolled are spread over this time, milliseconds; 0: all at once. */
  readonly spreadMs: number;
  /** Identities a list, 1 to 500. */
  readonly pageSize: number;
  /** Changes nothing: counts who would be enrolled, and what they would be overdue for. */
  readonly dryRun: boolean;
  /** Tries a start for everybody, also where the projection says that there is a lifecycle: after a loss of Temporal's data. */
  readonly distrustProjection: boolean;
}

export interface ReconcileInput {
  readonly schemaVersion: 1;
  readonly options: ReconcileOptions;
  /** Handed over at continue-as-new. */
  readonly progress?: ReconcileProgress;
  /** Continue as new after this many events; for tests. */
  readonly historyLimit?: number;
  /** How long one activity works before it shows how far it is, milliseconds; for tests. Default 10,000. */
  readonly stretchMs?: number;
}

/** Where a sweep is: first through Kratos' identities, then through the lifecycles that PostgreSQL knows. */
export type Place =
  | { readonly phase: 'identities'; readonly pageToken?: string }
  | { readonly phase: 'lifecycles'; readonly after?: string }
  | { readonly phase: 'done' };

/** What an identity without lifecycle would be overdue for: the harshest rung, or why there is none. */
export type PreviewClass = RungName | 'nothing' | 'exempt' | 'not-understood' | 'disabled-by-hand';
export type Preview = Readonly<Partial<Record<PreviewClass, number>>>;

/**
 * The first mails that those would get who would be enrolled, by days from now: addresses that somebody confirmed, and others.
 * `later`: after {@link forecastDays}.
 */
export type MailForecast = Readonly<
  Record<string, { readonly verified: number; readonly unverified: number }>
>;
export const forecastDays = 30;

export interface ReconcileCounts {
  /** Lists read, of Kratos' identities and of lifecycles. */
  readonly pages: number;
  /** Identities that Kratos listed. */
  readonly seen: number;
  /** Lifecycles started; in a preview: that would be started. */
  readonly started: number;
  readonly alreadyRunning: number;
  /** Lifecycles whose identity was looked for. */
  readonly checked: number;
  /** Lifecycles told to look again, because Kratos no longer lists their identity. */
  readonly gone: number;
  /** Identities that were passed over because of an error of their own; the log names them. */
  readonly failed: number;
}

/** A place and what was done up to it. Both move together, so that what is repeated after a crash is counted once. */
export interface SweepPosition {
  readonly place: Place;
  readonly counts: ReconcileCounts;
  readonly preview: Preview;
  /** Of a preview. Absent: no mail so far. */
  readonly mails?: MailForecast;
}

export interface ReconcileProgress extends SweepPosition {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Identities that Kratos says it has; absent where it does not say. */
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

/** How far it is. */
export const progressQuery = defineQuery<ReconcileProgress>('progress');
