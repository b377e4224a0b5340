/** The audit entry of an operator's decision about one identity, at the stage where the identity stands. */
import type pg from 'pg';
import { appendAuditWithin } from '../audit/log-table.js';
import type { AuditEntry } from '../domain/audit-entry.js';

export interface DecisionAbout {
  readonly identityId: string;
  /** Opaque id of the operator. */
  readonly actor: string;
  /** Time of the decision, epoch milliseconds. */
  readonly at: number;
}

/** To be called last in the transaction of the decision. */
export async function appendDecision(
  client: pg.PoolClient,
  { identityId, actor, at }: DecisionAbout,
  entry: Pick<AuditEntry, 'eventId' | 'eventType' | 'detail'>,
): Promise<void> {
  const known = await client.query<{ stage: string }>('SELECT stage FROM standing WHERE identity_id = $1', [
    identityId,
  ]);
  const stage = (known.rows[0]?.stage ?? 'none') as AuditEntry['stage'];
  const whole = { ...entry, target: identityId, actor, occurredAt: at, stage, daysInactive: 0 };
  await appendAuditWithin(client, [{ ...whole, outcome: 'done' }]);
}
