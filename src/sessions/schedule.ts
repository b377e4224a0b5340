/** The Temporal Schedule of the sweep that ends idle sessions. */
import { sweepSchedule } from '../process/schedule-set.js';
import type { EndIdleSessionsInput } from '../workflows/schedule-messages.js';

export const sessionSweep = sweepSchedule<EndIdleSessionsInput>({
  folder: 'sessions',
  name: 'end-idle',
  workflowType: 'endIdleSessions',
  input: { schemaVersion: 1 },
});
