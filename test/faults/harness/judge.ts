/**
 * Judges one life by what the world shows at its end: audit log, mails and Kratos. Knows the course as a person would write
 * it down, and nothing of the engine's rules. Pure.
 */

import type { AuditRow } from '../../../src/audit/log-table.js';
import { dayMs } from '../../../src/domain/duration.js';
import type { Course } from './courses.js';
import type { TakenMail } from './mail-server.js';
import { type FaultCase, isAmbiguousForMail, mayLoseAMail } from './plan-faults.js';

export interface Evidence {
  readonly id: string;
  readonly email: string;
  readonly course: Pick<Course, 'deeds' | 'mails' | 'end' | 'earliestMs' | 'noticeBeforeDeletionMs'>;
  readonly fault: FaultCase | undefined;
  readonly struck: boolean;
  readonly audit: readonly AuditRow[];
  readonly mails: readonly TakenMail[];
  /** What Kratos says. */
  readonly kratos: 'active' | 'inactive' | 'absent' | 'shell';
  readonly isOver: boolean;
  readonly isParked: boolean;
  /** When the mail server took the first notice of the deletion, on the clock of the log; absent: as the log says. */
  readonly noticedAt?: number;
  /** Copies of one mail beyond the first that its faults explain; absent: what the one fault explains. */
  readonly copiesAllowed?: number;
}

export interface Verdict {
  readonly wrongful: readonly string[];
  readonly missed: readonly string[];
  readonly stuck: readonly string[];
  /** Copies of a mail beyond the first. */
  readonly duplicates: number;
  readonly problems: readonly string[];
}

/** The problem of a life that did not meet its fault. */
export const neverHappened = 'the fault never happened';

/** The log's days are counted with the clock of the moment of writing, which lags behind the timer by rounding. */
const toleranceMs = 50;
/** The floor counts from the acceptance, and the log has the notice once that is known: on a busy machine a while later. */
const logLagMs = 60_000;

const bookkeeping: readonly string[] = [
  'lifecycle_started',
  'step_parked',
  'parked_retried',
  'notice_failed',
];

export function judge(evidence: Evidence): Verdict {
  const { course, audit, fault } = evidence;
  const deeds = audit.filter(({ eventType }) => !bookkeeping.includes(eventType));
  const done = deeds.map(({ eventType }) => eventType);
  const wrongful = [
    ...beyond(done, course.deeds),
    ...tooEarly(deeds, course),
    ...withoutNotice(evidence, deeds),
  ];
  const refused = noticesThatCount(audit, fault);
  const missed = beyond(course.deeds, [...done, ...refused]);
  const stuck = evidence.isOver && !evidence.isParked ? [] : [evidence.isParked ? 'parked' : 'not over'];
  const { duplicates, problems } = judgeMails(evidence);
  const expected =
    course.end === 'active' ? 'active' : done.includes('account_anonymised') ? 'shell' : 'absent';
  const inKratos = evidence.kratos === expected ? [] : [`Kratos says ${evidence.kratos}`];
  const unstruck = fault !== undefined && !evidence.struck ? [neverHappened] : [];
  return { wrongful, missed, stuck, duplicates, problems: [...problems, ...inKratos, ...unstruck] };
}

/** A lost answer counts as notice of revocation and deactivation, a refusal as notice of revocation, by the policy. */
function noticesThatCount(audit: readonly AuditRow[], fault: FaultCase | undefined): string[] {
  if (fault === undefined || !fault.call.startsWith('sendMail')) return [];
  return audit
    .filter(({ eventType, outcome, detail }) => {
      if (eventType !== 'notice_failed' || detail.rung === 'delete') return false;
      return outcome === 'ambiguous' || detail.rung === 'revoke';
    })
    .map(() => 'notice_sent');
}

/** What is in `some` and not, or not so often, in `others`. */
function beyond(some: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return some.filter((one) => {
    const index = left.indexOf(one);
    if (index < 0) return true;
    left.splice(index, 1);
    return false;
  });
}

function tooEarly(deeds: readonly AuditRow[], { earliestMs }: Evidence['course']): string[] {
  return deeds
    .filter(
      ({ eventType, daysInactive }) => daysInactive * dayMs + toleranceMs < (earliestMs[eventType] ?? 0),
    )
    .map(({ eventType, daysInactive }) => `${eventType} on day ${daysInactive}`);
}

function withoutNotice({ course, noticedAt }: Evidence, deeds: readonly AuditRow[]): string[] {
  const end = deeds.find(({ eventType }) => /account_(deleted|anonymised)/.test(eventType));
  if (end === undefined) return [];
  const notice = deeds.find(
    ({ eventType, detail }) => eventType === 'notice_sent' && detail.rung === 'delete',
  );
  const from = noticedAt ?? (notice === undefined ? end.occurredAt : notice.occurredAt - logLagMs);
  const ms = end.occurredAt - from;
  return ms + toleranceMs < course.noticeBeforeDeletionMs ? [`deleted ${ms} ms after its notice`] : [];
}

function judgeMails({ course, mails, fault, copiesAllowed }: Evidence): {
  duplicates: number;
  problems: string[];
} {
  const copies = mails.length - new Set(mails.map(({ messageId }) => messageId)).size;
  const allowed = copiesAllowed ?? (fault !== undefined && isAmbiguousForMail(fault) ? 1 : 0);
  const kinds = [...new Map(mails.map(({ messageId, kind }) => [messageId, kind])).values()];
  const lost = beyond(course.mails, kinds);
  const forgiven = fault !== undefined && mayLoseAMail(fault) ? 1 : 0;
  const problems = [
    ...(copies > allowed ? [`${copies} copies of a mail, ${allowed} allowed`] : []),
    ...beyond(kinds, course.mails).map((kind) => `one mail too many: ${kind}`),
    ...(lost.length > forgiven ? [`mails that nobody got: ${lost.join(', ')}`] : []),
  ];
  return { duplicates: copies, problems };
}
