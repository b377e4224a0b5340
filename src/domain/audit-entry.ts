/** One line of the audit log as the engine states it; the store adds sequence and hash. Pure. */
import type { PolicyReference } from './policy-reference.js';
import type { Stage } from './rungs.js';

/** Names follow the seed documents where those give a name (`tokens_revoked_stale`). */
export const auditEventTypes = [
  'lifecycle_started',
  'lifecycle_cancelled',
  'inactivity_warned',
  'actions_suspended',
  'notice_sent',
  'notice_failed',
  'notice_bounced',
  'addresses_followed',
  'tokens_revoked_stale',
  'winback_sent',
  'account_deactivated',
  'account_deleted',
  'account_anonymised',
  'data_exported',
  'returned',
  'account_reactivated',
  'reactivation_requested',
  'rung_postponed',
  'reactivated_externally',
  'left_alone',
  'hold_set',
  'hold_released',
  'policy_applied',
  'policy_published',
  'policy_rolled_back',
  'policy_rollout_paused',
  'policy_rollout_resumed',
  'audit_pruned',
  'step_parked',
  'parked_retried',
  'parked_skipped',
  'exemption_set',
  'exemption_reviewed',
  'exemption_ended',
  'identity_missing',
  'identity_reappeared',
  'absence_confirmed',
  'identity_gone',
  'held_by_breaker',
  'breaker_tripped',
  'breaker_release_proposed',
  'breaker_released',
  'session_expired_idle',
  'session_expired_absolute',
  'token_refused',
  'personal_token_created',
  'personal_token_rotated',
  'personal_token_revoked',
  'personal_token_expired',
  'refresh_family_started',
  'refresh_family_revoked',
  'credential_created',
  'credential_rotated',
  'credential_revoked',
  'security_events_retried',
  'call_refused',
] as const;
export type AuditEventType = (typeof auditEventTypes)[number];

/** The target of an event that concerns no single identity: the nil UUID (RFC 9562, section 5.9). */
export const installationId = '00000000-0000-0000-0000-000000000000';

export interface AuditEntry {
  /** Unique name of the event: writing the same event twice leaves one row. */
  readonly eventId: string;
  readonly eventType: AuditEventType;
  /** The identity that the event is about, or {@link installationId}. */
  readonly target: string;
  /**
   * `engine`, `self-service` (a link in a mail), a principal of the gateway (docs/principals.md), or the opaque id of an operator.
   * Never an address.
   */
  readonly actor: string;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  readonly policy?: PolicyReference;
  /** The stage of the identity at that time; `none` for the installation. */
  readonly stage: Stage | 'none';
  /** Days since the latest sign of life that counts. */
  readonly daysInactive: number;
  readonly outcome: string;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}
