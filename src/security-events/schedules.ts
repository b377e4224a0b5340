/** The Temporal Schedules that deliver to receivers. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../process/schedule-set.js';
import type { DeliverSignalsInput } from '../workflows/schedule-messages.js';
import type { EventReceiver } from './receivers-file.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/signals/`;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function deliveryScheduleIdOf(taskQueue: string, receiver: string): string {
  return `${prefixOf(taskQueue)}${receiver}`;
}

/** Updates the schedules to the receivers; see `syncSchedules`. */
export async function syncDeliverySchedules(
  client: Client,
  taskQueue: string,
  receivers: readonly EventReceiver[],
): Promise<void> {
  const wanted = receivers.map(({ name, deliverEvery }) => {
    const input: DeliverSignalsInput = { schemaVersion: 1, receiver: name };
    return {
      scheduleId: deliveryScheduleIdOf(taskQueue, name),
      workflowType: 'deliverSignals',
      every: deliverEvery,
      input,
    };
  });
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), wanted);
}
