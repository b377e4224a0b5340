/**
 * Counts what activities did: mails by kind and outcome, and entries of the audit log by type and outcome. Each process counts its own;
 * Prometheus adds them up. An attempt that failed counts as no deed.
 */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { Counter, type Registry } from 'prom-client';
import type { MailRequest, MailResult } from '../activities/mail.js';
import { type AuditEntry, type AuditEventType, auditEventTypes } from '../domain/audit-entry.js';
import { wayOutOf } from '../domain/error-types.js';
import { type MailKind, mailKinds } from '../mail/templates.js';

const mailOutcomes: readonly MailResult['outcome'][] = [
  'accepted',
  'ambiguous',
  'rejected',
  'bounced',
  'relay-failed',
  'no-address',
];

/** Outcomes of the audit log that have a label value of their own. An outcome that is none of these counts as `other`. */
const auditOutcomes = new Set<string>([
  ...mailOutcomes,
  ...Object.keys(wayOutOf),
  'done',
  'withheld',
  'missing',
  'doubtful',
  'found',
  'buried',
  'cancelled',
  'restarted',
  'deleted-elsewhere',
  'disabled-by-admin',
  'activity',
  'policy',
  'exempt',
  'operator',
  'self-service',
  'admin-in-kratos',
]);

export interface ActivityMetrics {
  /** For the workers of each outside system. */
  intercept(context: Context): ActivityInboundCallsInterceptor;
}

export function createActivityMetrics(registry: Registry): ActivityMetrics {
  const mails = new Counter({
    name: 'dormouse_mails_total',
    help: 'Mails whose sending has ended, by kind and by the best outcome over the addresses of the identity.',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  const events = new Counter({
    name: 'dormouse_audit_events_total',
    help: 'Entries that lifecycles wrote to the audit log, by type and outcome. A repeated write may count twice.',
    labelNames: ['event', 'outcome'],
    registers: [registry],
  });
  for (const kind of mailKinds) for (const outcome of mailOutcomes) mails.inc({ kind, outcome }, 0);

  const countMail = ({ kind }: { kind: MailKind }, { outcome }: Pick<MailResult, 'outcome'>) =>
    mails.inc({ kind, outcome: mailOutcomes.find((known) => known === outcome) ?? 'other' });
  const countEvents = (entries: readonly AuditEntry[]) => {
    for (const { eventType, outcome } of entries) events.inc(labelsOf(eventType, outcome));
  };
  return {
    intercept: (context) => ({
      async execute(input, next) {
        const result = await next(input);
        const [request] = input.args;
        if (context.info.activityType === 'sendMail') countMail(request as MailRequest, result as MailResult);
        if (context.info.activityType === 'record') countEvents((request as { audit: AuditEntry[] }).audit);
        return result;
      },
    }),
  };
}

function labelsOf(eventType: AuditEventType, outcome: string) {
  return {
    event: auditEventTypes.find((known) => known === eventType) ?? 'other',
    outcome: auditOutcomes.has(outcome) ? outcome : 'other',
  };
}
