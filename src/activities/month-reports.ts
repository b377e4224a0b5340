/** Activity: mails the reports of months that are over. The recipients stay in the worker's configuration. */
import { createHash } from 'node:crypto';
import { dueMonths, monthMail } from '../audit/month-mail.js';
import { type MailedMonth, readMailedMonths, writeMailed } from '../audit/month-mails-table.js';
import { monthReport } from '../audit/month-report.js';
import { installationId } from '../domain/audit-entry.js';
import { type DeliveryDependencies, deliver, type Letter } from '../mail/delivery.js';
import { tryAgain } from '../process/step-error.js';

export interface MonthReportDependencies extends DeliveryDependencies {
  /** Addresses. */
  readonly recipients: readonly string[];
  readonly productName: string;
}

export function createMonthReportActivities(deps: MonthReportDependencies) {
  const { pool, clock, recipients } = deps;
  return {
    /**
     * Each copy goes out once, by its claim in table `mail`, however often this runs. A month counts as mailed when no copy
     * is left to be sent.
     */
    async mailMonthReports(): Promise<MailedMonth[]> {
      if (recipients.length === 0) return [];
      const mailed: MailedMonth[] = [];
      const failures: string[] = [];
      for (const month of dueMonths(await readMailedMonths(pool), await clock.now())) {
        const done = await mailMonth(deps, month);
        if (typeof done === 'string') {
          failures.push(done);
          continue;
        }
        await writeMailed(pool, done, await clock.now());
        mailed.push(done);
      }
      // A recipient whose server defers keeps no other month back.
      if (failures.length > 0) throw tryAgain('MailServerUnavailable', failures.join('; '));
      return mailed;
    },
  };
}

/** @returns why copies are left to be sent, or what was sent */
async function mailMonth(deps: MonthReportDependencies, month: string): Promise<MailedMonth | string> {
  const { pool, clock, recipients, productName } = deps;
  const report = await monthReport(pool, month, await clock.now());
  const rendered = monthMail(report, productName);
  const letter: Letter = {
    identityId: installationId,
    kind: 'month-report',
    key: `report/${month}`,
    render: async () => rendered,
    // A second copy is worse than none: the report can be asked for at any time.
    handovers: 1,
  };
  const deliveries = [];
  for (const value of recipients) deliveries.push(await deliver(deps, letter, { id: nameOf(value), value }));
  const left = deliveries.filter(({ isFinal }) => !isFinal);
  if (left.length > 0) {
    const why = left.find(({ failure }) => failure !== undefined)?.failure?.message ?? 'deferred';
    return `${month}: ${left.length} of ${recipients.length} copies were not taken: ${why}`;
  }
  const accepted = deliveries.filter(({ state }) => state === 'accepted' || state === 'ambiguous').length;
  return { month, recipients: recipients.length, accepted };
}

/** Tells the copies apart, without the address. */
function nameOf(address: string): string {
  return createHash('sha256').update(address.toLowerCase()).digest('hex').slice(0, 16);
}

export type MonthReportActivities = ReturnType<typeof createMonthReportActivities>;
