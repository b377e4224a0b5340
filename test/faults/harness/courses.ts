/** The courses through the ladder of which every call is made to go wrong: each is one life, the same each time. */
import { dayMs } from '../../../src/domain/duration.js';
import { reactivateUpdate, userActivitySignal } from '../../../src/workflows/messages.js';
import type { Journey, LifecycleHandle } from '../../support/harness/open.js';
import { recordSigns } from '../../support/record-signs.js';

/**
 * Hours in a day of a course: the engine looks once in each real day while a notice runs, all these looks are alike, and each
 * would be one more request to go wrong, and a part of every life. The population lives whole days.
 */
const courseDayHours = 3;
const courseDayMs = (courseDayHours / 24) * dayMs;

/** @param hours of a day */
function policy(id: string, hours: number, deletion = ''): string {
  const days = (count: number) => `${count * hours}h`;
  return `id: ${id}
allowShortDurations: true
ladder:
  warn: { after: ${days(10)} }
  suspend: { after: ${days(20)}, noticeFloor: ${days(5)} }
  revoke: { after: ${days(30)}, notices: [${days(5)}], noticeFloor: ${days(5)}, withoutNotice: proceed, mailAfter: true }
  winback: { after: ${days(40)} }
  deactivate: { after: ${days(50)}, notices: [${days(5)}], noticeFloor: ${days(5)}, withoutNotice: wait, mailAfter: true }
  delete: { after: ${days(90)}, notices: [${days(10)}, ${days(3)}], noticeFloor: ${days(10)} }
deletion: { coolDown: ${days(30)}, refuseIdentifiersFor: 100d${deletion} }
breaker:
  percentFrom: 100000
  stall: off
  limits: { revoke: { atMost: 100000 }, deactivate: { atMost: 100000 }, delete: { atMost: 100000 } }
recheck: ${days(3)}
retry: { attempts: 4, firstAfter: 5s, longestAfter: 30s }
jitter: none
`;
}

/** In whole days, for the population. */
export const dailyPolicyId = 'faults-daily';
export const policies = [
  policy('faults-delete', courseDayHours),
  policy(
    'faults-anonymise',
    courseDayHours,
    ', action: anonymise, anonymousTraits: { email: "deleted-{id}@example.invalid" }',
  ),
  policy(dailyPolicyId, 24),
];

export interface Life {
  readonly id: string;
  readonly handle: LifecycleHandle;
  readonly startedAt: number;
}

export interface Course {
  readonly name: string;
  readonly policyId: string;
  /** What the person or an operator does on a day. */
  readonly acts: Readonly<Record<number, (journey: Journey, life: Life) => Promise<unknown>>>;
  /** By then it is over, whatever went wrong once. */
  readonly untilDay: number;
  /** Deeds in the audit log at the end, in order; each once. */
  readonly deeds: readonly string[];
  /** Kinds of mail, in order; each once. */
  readonly mails: readonly string[];
  /** The first day from which calls are made to go wrong: what comes before is another course's. */
  readonly fromDay: number;
  readonly end: 'deleted' | 'active';
  /** Absence before which a deed is wrong, by its name in the audit log. Milliseconds. */
  readonly earliestMs: Readonly<Record<string, number>>;
  /** Between the first notice of a deletion and the deletion. Milliseconds. */
  readonly noticeBeforeDeletionMs: number;
}

const toDeactivated = [
  'inactivity_warned',
  'actions_suspended',
  'notice_sent',
  'tokens_revoked_stale',
  'winback_sent',
  'notice_sent',
  'account_deactivated',
];
const mailsToDeactivated = [
  'warn',
  'notice-revoke',
  'revoked',
  'winback',
  'notice-deactivate',
  'deactivated',
];
const mailsToDeleted = [...mailsToDeactivated, 'notice-delete', 'notice-delete'];

const isSeen = async (journey: Journey, { id, handle }: Life) => {
  const at = await journey.now();
  await recordSigns(journey.pool, [{ identityId: id, at, kind: 'human', source: 'app' }]);
  await handle.signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'app', at });
};
const isReactivated = async (_journey: Journey, { handle }: Life) =>
  handle.startUpdate(reactivateUpdate, {
    args: [{ schemaVersion: 1, actor: 'op-1', reason: 'came back' }],
    waitForStage: 'ACCEPTED',
  });

const rules = {
  earliestMs: {
    inactivity_warned: 10 * courseDayMs,
    actions_suspended: 20 * courseDayMs,
    tokens_revoked_stale: 30 * courseDayMs,
    winback_sent: 40 * courseDayMs,
    account_deactivated: 50 * courseDayMs,
    account_deleted: 90 * courseDayMs,
    account_anonymised: 90 * courseDayMs,
  },
  noticeBeforeDeletionMs: 10 * courseDayMs,
};

export const courses: readonly Course[] = [
  {
    ...rules,
    name: 'warn to delete',
    policyId: 'faults-delete',
    acts: {},
    untilDay: 125,
    deeds: [...toDeactivated, 'notice_sent', 'notice_sent', 'account_deleted'],
    mails: mailsToDeleted,
    fromDay: 0,
    end: 'deleted',
  },
  {
    ...rules,
    name: 'anonymise',
    policyId: 'faults-anonymise',
    acts: {},
    untilDay: 125,
    deeds: [...toDeactivated, 'notice_sent', 'notice_sent', 'account_anonymised'],
    mails: mailsToDeleted,
    fromDay: 88,
    end: 'deleted',
  },
  {
    ...rules,
    name: 'return after suspension',
    policyId: 'faults-delete',
    acts: { 22: isSeen },
    untilDay: 30,
    deeds: ['inactivity_warned', 'actions_suspended', 'returned'],
    mails: ['warn'],
    fromDay: 22,
    end: 'active',
  },
  {
    ...rules,
    name: 'return after revocation',
    policyId: 'faults-delete',
    acts: { 32: isSeen },
    untilDay: 40,
    deeds: ['inactivity_warned', 'actions_suspended', 'notice_sent', 'tokens_revoked_stale', 'returned'],
    mails: ['warn', 'notice-revoke', 'revoked'],
    fromDay: 32,
    end: 'active',
  },
  {
    ...rules,
    name: 'reactivation',
    policyId: 'faults-delete',
    acts: { 53: isReactivated },
    untilDay: 61,
    deeds: [...toDeactivated, 'account_reactivated'],
    mails: [...mailsToDeactivated, 'reactivated'],
    fromDay: 53,
    end: 'active',
  },
];

/** When everything that a course does has happened. */
export const lastDay = Math.max(...courses.map(({ untilDay }) => untilDay));
/** Epoch milliseconds of a course's day. */
export const dayOf = (startedAt: number, day: number): number => startedAt + day * courseDayMs;
