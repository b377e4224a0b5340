/**
 * Mails the reports of months that are over; a Temporal Schedule starts it. What was sent is in PostgreSQL, so a run that
 * comes twice sends nothing twice, and one that was missed is made up for by the next.
 */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { MonthReportActivities } from '../activities/month-reports.js';
import { activityQueue } from './queues.js';
import type { MailMonthReportsInput } from './schedule-messages.js';

export interface MailMonthReportsResult {
  readonly schemaVersion: 1;
  /** As `2026-10`, the oldest first. */
  readonly months: readonly string[];
}

export async function mailMonthReports(_input: MailMonthReportsInput): Promise<MailMonthReportsResult> {
  const activities = proxyActivities<MonthReportActivities>({
    taskQueue: activityQueue(workflowInfo().taskQueue, 'mail'),
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: '1 minute',
    retry: {
      initialInterval: '10 seconds',
      backoffCoefficient: 2,
      maximumInterval: '10 minutes',
      // Until the next run begins.
      maximumAttempts: 20,
    },
  });
  const mailed = await activities.mailMonthReports();
  return { schemaVersion: 1, months: mailed.map(({ month }) => month) };
}
