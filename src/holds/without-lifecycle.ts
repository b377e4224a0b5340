/**
 * Holds of identities without a running lifecycle: not yet enrolled, lost, buried or deleted. A hold is written
 * together with its audit entry, or not at all. The first look of a later lifecycle reads it, and so does each
 * last look.
 */
import type pg from 'pg';
import { given } from '../domain/given.js';
import {
  chooseHold,
  type Hold,
  type HoldChoice,
  type HoldRequest,
  holdProblem,
} from '../domain/lifecycle/holds.js';
import { inTransaction } from '../postgres/pool.js';
import { appendDecision } from '../standings/decision-entry.js';
import { insertHold, lockHolds, readHolds } from './holds-table.js';

/** Nothing was changed. The message says what is wrong and the way out. */
export class HoldRefusedError extends Error {
  override readonly name = 'HoldRefusedError';
}

interface HoldDecision {
  readonly identityId: string;
  /** Opaque id of the operator. */
  readonly actor: string;
  readonly reason: string;
  /** Time of the decision, epoch milliseconds. */
  readonly at: number;
  /** Makes repeating the request harmless. */
  readonly requestId: string;
}

/** @returns the holds in force. Repeating the same request changes nothing. @throws HoldRefusedError */
export function setHoldDirectly(
  pool: pg.Pool,
  { requestId, ...request }: HoldDecision & HoldRequest,
): Promise<readonly Hold[]> {
  return inTransaction(pool, async (client) => {
    const { identityId, actor, reason, at, until, kind } = request;
    await lockHolds(client, identityId);
    const { standing, count } = await readHolds(client, identityId, at);
    if (await isRepeated(client, identityId, 'request_key', requestId)) return standing;
    const problem = holdProblem(request, standing.length, at);
    if (problem !== undefined) throw new HoldRefusedError(problem);
    const hold = { id: `h${count + 1}`, actor, reason, since: at, until, ...given({ kind }) };
    const kept = await insertHold(client, identityId, hold, requestId);
    const detail = { reason, until, holdId: kept.id, ...given({ kind }) };
    await appendDecision(client, request, {
      eventId: `hold/${identityId}/${kept.id}/set`,
      eventType: 'hold_set',
      detail,
    });
    return [...standing, kept];
  });
}

/**
 * Ends the one hold that is meant.
 * @returns the holds left in force. Repeating the same request changes nothing. @throws HoldRefusedError
 */
export function releaseHoldDirectly(
  pool: pg.Pool,
  { requestId, ...request }: HoldDecision & HoldChoice,
): Promise<readonly Hold[]> {
  return inTransaction(pool, async (client) => {
    const { identityId, reason, at } = request;
    // guard: holds: changes without a lifecycle come one at a time
    await lockHolds(client, identityId);
    const { standing } = await readHolds(client, identityId, at);
    // guard: holds: a repeated release without a lifecycle ends no second hold
    if (await isRepeated(client, identityId, 'release_key', requestId)) return standing;
    const chosen = chooseHold(standing, request);
    if ('problem' in chosen) throw new HoldRefusedError(chosen.problem);
    const { id: holdId, kind } = chosen.hold;
    await client.query(
      'UPDATE identity_hold SET released_at = $3, release_key = $4 WHERE identity_id = $1 AND hold_id = $2',
      [identityId, holdId, new Date(at), requestId],
    );
    const detail = { reason, holdId, ...given({ kind }) };
    await appendDecision(client, request, {
      eventId: `hold/${identityId}/${holdId}/released`,
      eventType: 'hold_released',
      detail,
    });
    return standing.filter(({ id }) => id !== holdId);
  });
}

async function isRepeated(
  client: pg.PoolClient,
  identityId: string,
  column: 'request_key' | 'release_key',
  requestId: string,
): Promise<boolean> {
  const found = await client.query(
    `SELECT FROM identity_hold WHERE identity_id = $1 AND ${column} = $2 LIMIT 1`,
    [identityId, requestId],
  );
  return found.rows.length > 0;
}
