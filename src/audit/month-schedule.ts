/** The Temporal Schedule that mails each month's report. */
import type { Client } from '@temporalio/client';
import { syncSchedules } from '../process/schedule-set.js';
import type { MailMonthReportsInput } from '../workflows/schedule-messages.js';

const prefixOf = (taskQueue: string): string => `${taskQueue}/reports/`;
/** A month is over at midnight UTC; whatever was missed is sent at the next time. */
const everyMs = 6 * 3_600_000;

/** The schedule's id. Two installations in one namespace differ by their task queue. */
export function reportScheduleIdOf(taskQueue: string): string {
  return `${prefixOf(taskQueue)}month`;
}

/** Creates, updates or deletes the schedule. @param isWanted whether anybody gets reports */
export async function syncReportSchedule(
  client: Client,
  taskQueue: string,
  isWanted: boolean,
): Promise<void> {
  const input: MailMonthReportsInput = { schemaVersion: 1 };
  const mailing = {
    scheduleId: reportScheduleIdOf(taskQueue),
    workflowType: 'mailMonthReports',
    every: everyMs,
    input,
  };
  await syncSchedules(client, taskQueue, prefixOf(taskQueue), isWanted ? [mailing] : []);
}
