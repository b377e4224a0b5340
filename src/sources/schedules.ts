/** The Temporal Schedules that poll the sources. */
import { scheduleSet } from '../process/schedule-set.js';
import type { PollActivitySourceInput } from '../workflows/schedule-messages.js';
import type { SignSource } from './source-file.js';

export const sourceSchedules = scheduleSet<SignSource, PollActivitySourceInput>({
  folder: 'activity-source',
  workflowType: 'pollActivitySource',
  every: ({ pollEvery }) => pollEvery,
  input: ({ name }) => ({ schemaVersion: 1, source: name }),
});
