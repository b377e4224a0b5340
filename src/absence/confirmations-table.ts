/**
 * Table `absence_confirmation`: operators' confirmations that an identity is gone from Kratos for
 * good. Each with its audit entry.
 */
import type pg from 'pg';
import { appendAuditWithin } from '../audit/log-table.js';
import type { AbsenceConfirmation } from '../domain/lifecycle/absence.js';
import { inTransaction } from '../postgres/pool.js';

export interface ConfirmationRequest extends AbsenceConfirmation {
  readonly identityId: string;
  readonly actor: string;
  readonly reason: string;
}

export async function confirmAbsence(pool: pg.Pool, request: ConfirmationRequest): Promise<void> {
  const { identityId, actor, reason, at, withoutGrace } = request;
  await inTransaction(pool, async (client) => {
    await client.query(
      `INSERT INTO absence_confirmation (identity_id, confirmed_at, without_grace, actor, reason) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (identity_id) DO UPDATE SET confirmed_at = EXCLUDED.confirmed_at,
         without_grace = EXCLUDED.without_grace, actor = EXCLUDED.actor, reason = EXCLUDED.reason`,
      [identityId, new Date(at), withoutGrace, actor, reason],
    );
    await appendAuditWithin(client, [
      {
        eventId: `absence/${identityId}/${at}`,
        eventType: 'absence_confirmed',
        target: identityId,
        actor,
        occurredAt: at,
        stage: 'none',
        daysInactive: 0,
        outcome: withoutGrace ? 'without grace' : 'confirmed',
        detail: { reason },
      },
    ]);
  });
}

export async function readConfirmation(
  pool: pg.Pool,
  identityId: string,
): Promise<AbsenceConfirmation | undefined> {
  const found = await pool.query<{ confirmed_at: Date; without_grace: boolean }>(
    'SELECT confirmed_at, without_grace FROM absence_confirmation WHERE identity_id = $1',
    [identityId],
  );
  const row = found.rows[0];
  return row && { at: row.confirmed_at.getTime(), withoutGrace: row.without_grace };
}

/** For an identity that no longer exists. */
export async function forgetConfirmation(client: pg.Pool | pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM absence_confirmation WHERE identity_id = $1', [identityId]);
}
