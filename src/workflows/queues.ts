/**
 * The task queues: one for workflows, one for each outside system, so that a slow
 * system holds up no other. Pure.
 */

export const outsideSystems = ['kratos', 'hydra', 'mail', 'ledger', 'signals'] as const;
export type OutsideSystem = (typeof outsideSystems)[number];

/** @param base the task queue of the workflows */
export function activityQueue(base: string, system: OutsideSystem): string {
  return `${base}-${system}`;
}

/**
 * Temporal's priority of what a person or an operator waits for: 1 goes first, and everything else has the default, 3. A server
 * without `matching.useNewMatcher` ignores it.
 */
export const urgentPriority = 1;

/**
 * How long a worker may be silent about an activity of a lifecycle before the activity runs elsewhere. The
 * workers' own pulse (worker/pulse.ts) sends the heartbeats. Activities with another timeout send their own.
 */
export const heartbeatTimeoutMs = 15_000;
