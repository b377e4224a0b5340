/** Has parked security events tried again, with the audit entry of whoever decided so, in one transaction. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { appendAuditWithin } from '../audit/log-table.js';
import { installationId } from '../domain/audit-entry.js';
import { inTransaction } from '../postgres/pool.js';
import { type ParkedChoice, retryParked } from './outbox-table.js';

export interface RetryDecision extends ParkedChoice {
  /** The credential. */
  readonly actor: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** @returns how many events are tried again; of none there is no entry */
export function retryAndAudit(
  pool: pg.Pool,
  { actor, at: occurredAt, ...which }: RetryDecision,
): Promise<number> {
  return inTransaction(pool, async (client) => {
    const retried = await retryParked(client, which);
    if (retried === 0) return 0;
    await appendAuditWithin(client, [
      {
        eventId: `security-events/retried/${randomUUID()}`,
        eventType: 'security_events_retried',
        ...{ target: installationId, actor, occurredAt, stage: 'none', daysInactive: 0 },
        ...{ outcome: 'pending', detail: { retried, ...which } },
      },
    ]);
    return retried;
  });
}
