/** The courses again, in seconds, for real time on the real Temporal server. */
import { lookAgainSignal, reactivateUpdate } from '../../../src/workflows/messages.js';
import type { Harness, LifecycleHandle } from '../../support/harness/open.js';
import { until } from '../../support/until.js';
import type { Course } from './courses.js';

const tail = (recheck: string) => `
breaker:
  percentFrom: 100000
  stall: off
  clockTolerance: 1h
  limits: { revoke: { atMost: 100000 }, deactivate: { atMost: 100000 }, delete: { atMost: 100000 } }
recheck: ${recheck}
retry: { attempts: 100, firstAfter: 1s, longestAfter: 2s }
jitter: none
`;
const climb = `
ladder:
  warn: { after: 1s }
  suspend: { after: 2s, noticeFloor: 1s }
  revoke: { after: 4s, notices: [1s], noticeFloor: 1s, withoutNotice: proceed, mailAfter: true }
  winback: { after: 5s }
  deactivate: { after: 7s, notices: [1s], noticeFloor: 1s, withoutNotice: wait, mailAfter: true }
  delete: { after: 12s, notices: [2s, 1s], noticeFloor: 2s }
`;
const suspension = `
ladder:
  warn: { after: 1s }
  suspend: { after: 2s, noticeFloor: 1s }
`;
const deactivation = `
ladder:
  deactivate: { after: 3s, notices: [1s], noticeFloor: 1s, withoutNotice: wait, mailAfter: true }
`;
const policy = (id: string, ladder: string, recheck: string, deletion = '') =>
  `id: ${id}\nallowShortDurations: true${ladder}${tail(recheck)}${deletion}`;
const keepsNames = 'coolDown: 2s, refuseIdentifiersFor: 1h';
const shell = 'action: anonymise, anonymousTraits: { email: "deleted-{id}@example.invalid" }';

export const quickPolicies = [
  policy('quick-delete', climb, '5s', `deletion: { ${keepsNames} }\n`),
  policy('quick-anonymise', climb, '5s', `deletion: { ${keepsNames}, ${shell} }\n`),
  policy('quick-suspend', suspension, '1h'),
  policy('quick-deactivate', deactivation, '1h'),
];

type Life = { readonly id: string; readonly handle: LifecycleHandle };

export interface QuickCourse extends Omit<Course, 'acts' | 'untilDay' | 'fromDay'> {
  readonly act?: {
    /** The entry in the audit log after which it happens. */
    readonly after: string;
    readonly deed: (live: Harness, life: Life) => Promise<unknown>;
  };
  /** Calls before this one are those of another course. */
  readonly firstCall?: string;
}

/**
 * An exemption takes back what was done, and nothing follows it however long the test takes. It waits for the engine's own
 * write: Kratos reads, patches and writes whole identities, and of two at once one is lost.
 */
const isExempted = async (live: Harness, { id, handle }: Life) => {
  const stages: unknown[] = ['suspended', 'deactivated'];
  await until('the stage in Kratos', async () => {
    const { data } = await live.people.identities.getIdentity({ id });
    const shown = data.metadata_public as { dormouse?: { stage?: unknown } } | null;
    return stages.includes(shown?.dormouse?.stage);
  });
  await live.people.identities.patchIdentity({
    id,
    jsonPatch: [{ op: 'add', path: '/metadata_admin', value: { skip_stale_revocation: true } }],
  });
  await handle.signal(lookAgainSignal, { schemaVersion: 1 });
};
const isReactivated = async (live: Harness, life: Life) => {
  await isExempted(live, life);
  await life.handle.startUpdate(reactivateUpdate, {
    args: [{ schemaVersion: 1, actor: 'op-1', reason: 'came back' }],
    waitForStage: 'ACCEPTED',
  });
};

const second = 1_000;
const earliestMs = {
  inactivity_warned: second,
  actions_suspended: 2 * second,
  tokens_revoked_stale: 4 * second,
  winback_sent: 5 * second,
  account_deactivated: 3 * second,
  account_deleted: 12 * second,
  account_anonymised: 12 * second,
};
const whole = {
  mails: [
    ...['warn', 'notice-revoke', 'revoked', 'winback', 'notice-deactivate', 'deactivated'],
    ...['notice-delete', 'notice-delete'],
  ],
  end: 'deleted',
  earliestMs,
  noticeBeforeDeletionMs: 2 * second,
} as const;
const climbed = [
  ...['inactivity_warned', 'actions_suspended', 'notice_sent', 'tokens_revoked_stale', 'winback_sent'],
  ...['notice_sent', 'account_deactivated', 'notice_sent', 'notice_sent'],
];

export const quickCourses: readonly QuickCourse[] = [
  { ...whole, name: 'warn to delete', policyId: 'quick-delete', deeds: [...climbed, 'account_deleted'] },
  {
    ...whole,
    name: 'anonymise',
    policyId: 'quick-anonymise',
    deeds: [...climbed, 'account_anonymised'],
    firstCall: 'anonymiseIdentity#1',
  },
  {
    name: 'return after suspension',
    policyId: 'quick-suspend',
    deeds: ['inactivity_warned', 'actions_suspended', 'returned'],
    mails: ['warn'],
    end: 'active',
    earliestMs,
    noticeBeforeDeletionMs: 0,
    act: { after: 'actions_suspended', deed: isExempted },
  },
  {
    name: 'reactivation',
    policyId: 'quick-deactivate',
    deeds: ['notice_sent', 'account_deactivated', 'account_reactivated'],
    mails: ['notice-deactivate', 'deactivated', 'reactivated'],
    end: 'active',
    earliestMs,
    noticeBeforeDeletionMs: 0,
    act: { after: 'account_deactivated', deed: isReactivated },
  },
];
