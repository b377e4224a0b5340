/** Security event tokens (RFC 8417) as the Shared Signals Framework 1.0 profiles them. */
import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AuditEntry } from '../domain/audit-entry.js';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import { type EventName, eventUris } from './rules.js';

export interface SecurityEvent {
  readonly jti: string;
  readonly name: EventName;
  readonly identityId: string;
  /** Row of the audit log that the event follows from. */
  readonly auditSeq: number;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  readonly createdAt: number;
}

/** The event's `jti` at one receiver: the same for every attempt to send it. */
export function jtiOf(entry: AuditEntry, receiver: string, name: EventName): string {
  const text = JSON.stringify(['dormouse/jti', entry.eventId, receiver, name]);
  return createHash('sha256').update(text).digest('base64url');
}

export interface SetOptions {
  readonly issuer: string;
  readonly subjectIssuer: string;
  readonly audience: string;
  readonly key: PrivateSigningKey;
}

/**
 * Signs one event for one receiver. No `sub` and no `exp` (SSF 1.0, section 4.1). Issuer and subject name the
 * account (RFC 9493, section 3.2.3).
 */
export function signSecurityEvent(event: SecurityEvent, options: SetOptions): Promise<string> {
  const { issuer, subjectIssuer, audience, key } = options;
  // guard: security events: an event has the same jti at each attempt
  return new SignJWT({
    txn: `audit-${event.auditSeq}`,
    toe: seconds(event.occurredAt),
    sub_id: { format: 'iss_sub', iss: subjectIssuer, sub: event.identityId },
    events: { [eventUris[event.name]]: claimsOf(event) },
  })
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: 'secevent+jwt' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(event.jti)
    .setIssuedAt(seconds(event.createdAt))
    .sign(key.privateKey);
}

/** RISC has no reason that fits inactivity, so none is given. CAEP requires the initiator. */
function claimsOf({ name, occurredAt }: SecurityEvent): Record<string, unknown> {
  if (name !== 'session-revoked') return {};
  return {
    event_timestamp: seconds(occurredAt),
    initiating_entity: 'policy',
    reason_admin: { en: 'The account was inactive for longer than the policy allows.' },
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
