/** How the rows of the audit log are chained: the hashed text, and the hash of a row after the row before. */
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../domain/audit-entry.js';

/** The hash before the first row. */
export const genesis = '0'.repeat(64);

/** A place in the chain: everything up to row `seq` follows from `hash`. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/**
 * The text of an entry: fields in a fixed order, so that the same entry always gives the same text.
 * `audit_append` puts the row's place in front of it before hashing.
 */
export function entryText(entry: AuditEntry): string {
  const detail = Object.fromEntries(Object.entries(entry.detail ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([
    entry.eventId,
    entry.eventType,
    entry.target,
    entry.actor,
    Math.floor(entry.occurredAt),
    entry.policy?.id ?? null,
    entry.policy?.version ?? null,
    entry.policy?.hash ?? null,
    entry.stage,
    entry.daysInactive,
    entry.outcome,
    detail,
  ]);
}

export function chainHash(previousHash: string, canonical: string): string {
  return createHash('sha256').update(previousHash).update('\n').update(canonical).digest('hex');
}
