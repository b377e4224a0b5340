/** The task queues: one for workflows, one for each outside system, so that a slow system holds up no other. Pure. */

export const outsideSystems = ['kratos', 'hydra', 'mail', 'ledger', 'signals'] as const;
export type OutsideSystem = (typeof outsideSystems)[number];

/** @param base the task queue of the workflows */
export function activityQueue(base: string, system: OutsideSystem): string {
  return `${base}-${system}`;
}

/**
 * How long a worker may be silent about an activity of a lifecycle before the activity is run elsewhere. The workers' own
 * pulse (worker/pulse.ts) keeps it; activities with another timeout tell of themselves.
 */
export const heartbeatTimeoutMs = 15_000;
