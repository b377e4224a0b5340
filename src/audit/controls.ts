/** Which control of which standard an audit event is evidence for, and why. Pure. */
import type { AuditEventType } from '../domain/audit-entry.js';

export interface Control {
  readonly framework: string;
  readonly clause: string;
  readonly title: string;
  /**
   * Days of inactivity after which an account must be disabled. Absent where the
   * organisation sets them, or there are none.
   */
  readonly thresholdDays?: number;
}

export const controls = {
  'nist-ac-2-3': {
    framework: 'NIST SP 800-53 Rev. 5',
    clause: 'AC-2(3)',
    title: 'Disable accounts that were inactive for an organisation-defined time',
  },
  'pci-8.2.6': {
    framework: 'PCI DSS 4.0.1',
    clause: '8.2.6',
    title: 'Inactive user accounts are removed or disabled within 90 days of inactivity',
    thresholdDays: 90,
  },
  'asvs-7.4.2': {
    framework: 'OWASP ASVS 5.0',
    clause: '7.4.2',
    title: 'All active sessions end when an account is disabled or deleted',
  },
  'cis-5.3': {
    framework: 'CIS Controls v8',
    clause: '5.3',
    title: 'Delete or disable dormant accounts after 45 days of inactivity',
    thresholdDays: 45,
  },
  'asvs-7.3.1': {
    framework: 'OWASP ASVS 5.0',
    clause: '7.3.1',
    title: 'Sessions end after a time of inactivity',
  },
  'asvs-7.3.2': {
    framework: 'OWASP ASVS 5.0',
    clause: '7.3.2',
    title: 'Sessions end at an absolute limit since the sign-in',
  },
  'pci-8.2.8': {
    framework: 'PCI DSS 4.0.1',
    clause: '8.2.8',
    title: 'A session that was idle for 15 minutes needs a new authentication',
  },
} as const satisfies Record<string, Control>;
export type ControlId = keyof typeof controls;
export const controlIds = Object.keys(controls).filter(isControlId);

export function isControlId(text: string): text is ControlId {
  return Object.hasOwn(controls, text);
}

/** @returns the control's description, with its threshold where the standard names one */
export function controlOf(id: ControlId): Control {
  return controls[id];
}

export interface ControlClaim {
  readonly control: ControlId;
  /**
   * `evidence`: the control was carried out. `context`: what an assessor needs to know to judge the evidence.
   */
  readonly role: 'evidence' | 'context';
  readonly why: string;
}

const inactivityControls = ['nist-ac-2-3', 'pci-8.2.6', 'cis-5.3'] as const;

function context(why: string): ControlClaim[] {
  return inactivityControls.map((control) => ({ control, role: 'context', why }));
}

function evidence(why: string): ControlClaim[] {
  return inactivityControls.map((control) => ({ control, role: 'evidence', why }));
}

function sessions(role: ControlClaim['role'], why: string): ControlClaim {
  return { control: 'asvs-7.4.2', role, why };
}

/**
 * One entry for each type, so that the compiler demands one for a new type. An
 * empty entry means: for no control.
 */
const claims: Readonly<Record<AuditEventType, readonly ControlClaim[]>> = {
  lifecycle_started: context('from now on the account is watched for inactivity'),
  lifecycle_cancelled: context('nobody watched the account until it was started again'),
  inactivity_warned: context('the inactivity was noticed, and the person was told'),
  actions_suspended: context('new actions are refused; the account can still sign in'),
  notice_sent: context('the step ahead was announced, so that nobody is cut off by mistake'),
  notice_failed: context('the step ahead could not be announced; it waits where the policy says so'),
  tokens_revoked_stale: [
    ...context(
      'sessions and tokens ended for inactivity; the account itself can still sign in. With a `type` in its detail: those of that type, unused for too long',
    ),
    sessions(
      'context',
      'without a `type` in its detail: all sessions and tokens were ended and none was left, ahead of disabling the account',
    ),
  ],
  winback_sent: [],
  account_deactivated: [
    ...evidence('the account was disabled for inactivity'),
    sessions('evidence', 'sessions and tokens were ended with the account, and none was left'),
  ],
  account_deleted: [
    ...evidence('the account was removed for inactivity'),
    sessions('evidence', 'sessions end with the identity, tokens were ended, and none was left'),
  ],
  account_anonymised: [
    ...evidence('the account was emptied and disabled for good, for inactivity'),
    sessions('evidence', 'sessions and tokens were ended with the account, and none was left'),
  ],
  data_exported: context('the app kept what must be kept, ahead of the removal'),
  returned: context('the person was active again, or the policy changed: the time of inactivity starts anew'),
  account_reactivated: context('an operator brought the account back; actor and reason are named'),
  reactivated_externally: context('an administrator enabled the account in Kratos'),
  left_alone: context('the account was disabled by an administrator already, and was left so'),
  hold_set: context('an exception with an end: who set it, why, and until when'),
  hold_released: context('an exception ended'),
  policy_applied: context('another policy, and so another time of inactivity, is in force for the account'),
  policy_published: context(
    'a version of a policy, and so of the times of inactivity, was published: who did it, and why',
  ),
  policy_rolled_back: context(
    'the text of an earlier version of a policy is in force again: who did it, and why',
  ),
  policy_rollout_paused: context('People who are due earlier by a new policy were not yet woken for it.'),
  policy_rollout_resumed: context('People who are due earlier by a new policy are woken for it again.'),
  audit_pruned: context('older rows of the log were removed below a signed one: who did it, and why'),
  step_parked: context('a step failed for good and waits for an operator: the account may be over its time'),
  parked_retried: context('an operator had a failed step tried again'),
  rung_postponed: context('the person asked by a link to keep the account: the step moved'),
  reactivation_requested: context(
    'somebody asked for a link to come back; it was mailed to the known addresses',
  ),
  held_by_breaker: context('the step waits for an operator: the account may be over its time'),
  breaker_tripped: context(
    'steps were stopped because too many were due, or the evidence could not be trusted',
  ),
  breaker_release_proposed: context('an operator proposed to let the stopped steps go on'),
  breaker_released: context('operators let the stopped steps go on'),
  exemption_set: context('an exception with owner and review date: who set it, and why'),
  exemption_reviewed: context('an exception was looked at again, and stays'),
  exemption_ended: context('an exception ended'),
  parked_skipped: context(
    'an operator decided that a failed step is not to be done: the account may be over its time',
  ),
  notice_bounced: context('a notice came back: the step ahead waits, and the person is told anew'),
  addresses_followed: context('the addresses changed while a notice ran: old and new ones were told'),
  identity_gone: context('the account was deleted by somebody else'),
  identity_missing: context('the account could not be found; nothing is concluded from it yet'),
  identity_reappeared: context('the account is there again, and stands where it stood'),
  absence_confirmed: context(
    'an operator said that the account is gone for good; actor and reason are named',
  ),
  session_expired_idle: [
    { control: 'asvs-7.3.1', role: 'evidence', why: 'the session ended after its time of inactivity' },
    { control: 'pci-8.2.8', role: 'evidence', why: 'the idle session ended; the rule says after how long' },
  ],
  session_expired_absolute: [
    { control: 'asvs-7.3.2', role: 'evidence', why: 'the session ended at its absolute limit' },
  ],
  token_refused: [
    {
      control: 'asvs-7.3.1',
      role: 'context',
      why: 'a token was refused: nobody used it for too long, its time was over, or it was revoked',
    },
  ],
  personal_token_created: context('a token that acts for the account was created: by whom, and for what'),
  personal_token_rotated: context('a token that acts for the account was replaced by another one'),
  personal_token_revoked: context('a token that acts for the account was revoked: by whom'),
  personal_token_expired: context('a token that acts for the account reached its expiry'),
  refresh_family_started: [],
  refresh_family_revoked: [],
  credential_created: context(
    'a credential that may decide about accounts was created: by whom, and for what',
  ),
  credential_rotated: context('a credential that may decide about accounts was replaced by another one'),
  credential_revoked: context('a credential that may decide about accounts was revoked: by whom, and why'),
  security_events_retried: [],
  call_refused: [],
};

/** @returns the claims of a type; empty for a type that a newer build wrote */
export function claimsOf(eventType: string): readonly ControlClaim[] {
  return isKnown(eventType) ? claims[eventType] : [];
}

/** The event types that say something about a control. */
export function eventTypesFor(control: ControlId): AuditEventType[] {
  return Object.keys(claims)
    .filter(isKnown)
    .filter((type) => claims[type].some((claim) => claim.control === control));
}

function isKnown(eventType: string): eventType is AuditEventType {
  return Object.hasOwn(claims, eventType);
}
