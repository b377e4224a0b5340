/** Trips and releases the breaker, each with its audit entry in one transaction. */
import type pg from 'pg';
import { appendAuditWithin } from '../audit/log-table.js';
import { type AuditEntry, installationId } from '../domain/audit-entry.js';
import type { Trip } from '../domain/breaker/trip.js';
import { inTransaction, rolledBack } from '../postgres/pool.js';
import { type Approval, approve, propose, type Release, type ReleaseRequest } from './releases-table.js';
import { lockBreaker, trip } from './trips-table.js';

/** @param actor default: the engine */
export async function tripAndAudit(
  client: pg.PoolClient,
  wanted: Omit<Trip, 'id'>,
  actor = 'engine',
): Promise<Trip> {
  const tripped = await trip(client, wanted);
  const { id, cause, scope, why, trippedAt } = tripped;
  const detail = { scope, why };
  await appendAuditWithin(client, [
    entry(`breaker/tripped/${id}`, 'breaker_tripped', cause, { actor, occurredAt: trippedAt, detail }),
  ]);
  return tripped;
}

/** Proposes a release. It takes effect at once where one operator is enough. @throws ReleaseRefusedError */
export function proposeRelease(pool: pg.Pool, request: ReleaseRequest): Promise<Release> {
  return inTransaction(pool, async (client) => {
    await lockBreaker(client);
    return propose(client, request);
  });
}

/** Whether a release would be taken: carried out, and taken back. @throws ReleaseRefusedError */
export function tryProposal(pool: pg.Pool, request: ReleaseRequest): Promise<void> {
  return rolledBack(pool, (client) => propose(client, request));
}

/** Whether an approval would be taken: carried out, and taken back. @throws ReleaseRefusedError */
export function tryApproval(pool: pg.Pool, request: Approval): Promise<void> {
  return rolledBack(pool, (client) => approve(client, request));
}

/** Another operator approves a proposed release. @throws ReleaseRefusedError */
export function approveRelease(pool: pg.Pool, request: Approval): Promise<Release> {
  return inTransaction(pool, async (client) => {
    await lockBreaker(client);
    return approve(client, request);
  });
}

function entry(
  eventId: string,
  eventType: AuditEntry['eventType'],
  outcome: string,
  more: Pick<AuditEntry, 'actor' | 'occurredAt'> & { detail: NonNullable<AuditEntry['detail']> },
): AuditEntry {
  return { eventId, eventType, target: installationId, stage: 'none', daysInactive: 0, outcome, ...more };
}
