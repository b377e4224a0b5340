/** The Temporal Schedule that mails each month's report. */
import { sweepSchedule } from '../process/schedule-set.js';
import type { MailMonthReportsInput } from '../workflows/schedule-messages.js';

/** How often it is looked whether a report is due: a month is over at midnight UTC, and what was missed is sent at the next time. */
export const reportLooksEveryMs = 6 * 3_600_000;

export const monthReportSchedule = sweepSchedule<MailMonthReportsInput>({
  folder: 'reports',
  name: 'month',
  workflowType: 'mailMonthReports',
  input: { schemaVersion: 1 },
});
