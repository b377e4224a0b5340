/** Which security event follows from an act on an account. Pure. */
import type { AuditEntry, AuditEventType } from '../domain/audit-entry.js';

/** By their names in receivers' lists. The URIs are those of CAEP 1.0 and RISC 1.0. */
export const eventUris = {
  'session-revoked': 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  'account-disabled': 'https://schemas.openid.net/secevent/risc/event-type/account-disabled',
  'account-enabled': 'https://schemas.openid.net/secevent/risc/event-type/account-enabled',
  'account-purged': 'https://schemas.openid.net/secevent/risc/event-type/account-purged',
} as const;
export type EventName = keyof typeof eventUris;
export const eventNames = [
  'session-revoked',
  'account-disabled',
  'account-enabled',
  'account-purged',
] as const satisfies readonly EventName[];

type Rule = EventName | 'none' | 'if-enabled';

/** One entry for each type, so that the compiler demands one for a new type. */
const rules: Readonly<Record<AuditEventType, Rule>> = {
  lifecycle_started: 'none',
  lifecycle_cancelled: 'none',
  inactivity_warned: 'none',
  actions_suspended: 'none',
  notice_sent: 'none',
  notice_failed: 'none',
  tokens_revoked_stale: 'session-revoked',
  winback_sent: 'none',
  account_deactivated: 'account-disabled',
  account_deleted: 'account-purged',
  account_anonymised: 'account-purged',
  data_exported: 'none',
  returned: 'if-enabled',
  account_reactivated: 'if-enabled',
  reactivated_externally: 'if-enabled',
  left_alone: 'none',
  hold_set: 'none',
  hold_released: 'none',
  policy_applied: 'none',
  policy_published: 'none',
  policy_rolled_back: 'none',
  policy_rollout_paused: 'none',
  policy_rollout_resumed: 'none',
  audit_pruned: 'none',
  step_parked: 'none',
  parked_retried: 'none',
  rung_postponed: 'none',
  reactivation_requested: 'none',
  held_by_breaker: 'none',
  breaker_tripped: 'none',
  breaker_release_proposed: 'none',
  breaker_released: 'none',
  exemption_set: 'none',
  exemption_reviewed: 'none',
  exemption_ended: 'none',
  parked_skipped: 'none',
  notice_bounced: 'none',
  addresses_followed: 'none',
  identity_gone: 'none',
  identity_missing: 'none',
  identity_reappeared: 'none',
  absence_confirmed: 'none',
  // One session of several: other systems have sessions of their own.
  session_expired_idle: 'none',
  session_expired_absolute: 'none',
  token_refused: 'none',
  // Tokens of the apps: other systems don't know them.
  personal_token_created: 'none',
  personal_token_rotated: 'none',
  personal_token_revoked: 'none',
  personal_token_expired: 'none',
  refresh_family_started: 'none',
  refresh_family_revoked: 'none',
  // Of the installation, not of an account.
  credential_created: 'none',
  credential_rotated: 'none',
  credential_revoked: 'none',
  security_events_retried: 'none',
  call_refused: 'none',
};

/** @returns the event to send; `undefined` where other systems need none */
export function securityEventOf({ eventType, detail }: AuditEntry): EventName | undefined {
  const rule = rules[eventType];
  if (rule !== 'if-enabled') return rule === 'none' ? undefined : rule;
  // Only receivers that were told of the disabled account need to hear that it is enabled again.
  const undone = String(detail?.undone ?? '').split(',');
  return undone.includes('deactivate') && detail?.enabled !== false ? 'account-enabled' : undefined;
}

/** What a receiver's answer to a pushed event means. `rejected`: the same event will never be accepted. */
export type PushOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected' | 'failed'; readonly error: string };

const firstAfterMs = 60_000;
const longestAfterMs = 6 * 3_600_000;
/** With the back-off below: two and a half days. */
const mostAttempts = 18;

/**
 * When to try again.
 * @param attempts made so far, including the last one
 * @returns milliseconds from now; `undefined`: give up, and leave it to an operator
 */
export function retryAfterMs(attempts: number): number | undefined {
  return attempts >= mostAttempts ? undefined : Math.min(firstAfterMs * 2 ** (attempts - 1), longestAfterMs);
}
