/** The Temporal Schedules that deliver to receivers. */
import { scheduleSet } from '../process/schedule-set.js';
import type { DeliverSignalsInput } from '../workflows/schedule-messages.js';
import type { EventReceiver } from './receivers-file.js';

export const deliverySchedules = scheduleSet<EventReceiver, DeliverSignalsInput>({
  folder: 'signals',
  workflowType: 'deliverSignals',
  every: ({ deliverEvery }) => deliverEvery,
  input: ({ name }) => ({ schemaVersion: 1, receiver: name }),
});
