/** Tables `breaker_release`, `breaker_release_vote` and `breaker_pass`: operators' decisions about a trip. */
import type pg from 'pg';
import { storable } from '../domain/free-text.js';
import { isSameOperator } from '../domain/principals/principal.js';
import { InvalidRequestError } from '../process/caller-errors.js';
import { forgetLostMarks } from '../signs/marks-table.js';
import { forgetClock } from './grants-table.js';
import { readTrip } from './trips-table.js';

export interface ReleaseRequest {
  readonly tripId: number;
  /** Opaque id of the operator. */
  readonly actor: string;
  /** Who answers for the credential that they showed. Absent: they were named, and answer under that name. */
  readonly owner?: string;
  readonly reason: string;
  /** Absent: the trip ends. Otherwise it stays, and each of these identities passes once. */
  readonly identities?: readonly string[];
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Release {
  readonly id: number;
  readonly tripId: number;
  readonly reason: string;
  readonly identities?: readonly string[];
  readonly actors: readonly string[];
  /** Who answers for each of them, in the same order: two of one owner count as one. */
  readonly owners: readonly string[];
  /** Number of different operators that it needs. */
  readonly operators: number;
  /** Epoch milliseconds; absent while approvals are missing. */
  readonly effectiveAt?: number;
}

/** Nothing was changed. The message says what is wrong and the way out. */
export class ReleaseRefusedError extends InvalidRequestError {}

/** To be called under the breaker's lock. @throws ReleaseRefusedError */
export async function propose(client: pg.PoolClient, request: ReleaseRequest): Promise<Release> {
  const { tripId, reason, identities, at } = request;
  await assertTripped(client, tripId);
  const inserted = await client.query<{ id: string }>('SELECT breaker_propose($1, $2, $3, $4) AS id', [
    tripId,
    storable(reason),
    identities ?? null,
    new Date(at),
  ]);
  return vote(client, Number(inserted.rows[0]?.id), request);
}

/** Another operator agrees. */
export interface Approval extends Pick<ReleaseRequest, 'actor' | 'owner' | 'at'> {
  readonly releaseId: number;
}

/** To be called under the breaker's lock. @throws ReleaseRefusedError */
export async function approve(client: pg.PoolClient, approval: Approval): Promise<Release> {
  const { releaseId, actor, owner = actor } = approval;
  const release = await readRelease(client, releaseId);
  if (release.effectiveAt !== undefined) {
    throw new ReleaseRefusedError(`release ${releaseId} is in force already`);
  }
  await assertTripped(client, release.tripId);
  // guard: breaker: the same operator does not count twice
  // guard: principals: two credentials of one owner are one operator
  if (release.owners.some((other) => isSameOperator({ owner: other }, { owner }))) {
    throw new ReleaseRefusedError(
      `actor: "${owner}" agreed to release ${releaseId} already. It takes ${release.operators} different operators`,
    );
  }
  return vote(client, releaseId, approval);
}

/** @returns releases that wait for another operator, the oldest first */
export async function pendingReleases(pool: pg.Pool): Promise<Release[]> {
  const found = await pool.query<{ id: string }>(
    `SELECT breaker_release.id FROM breaker_release JOIN breaker_trip ON breaker_trip.id = trip_id
     WHERE effective_at IS NULL AND released_at IS NULL ORDER BY breaker_release.id`,
  );
  return Promise.all(found.rows.map(({ id }) => readRelease(pool, Number(id))));
}

async function assertTripped(client: pg.PoolClient, tripId: number): Promise<void> {
  const found = await client.query<{ released_at: Date | null }>(
    'SELECT released_at FROM breaker_trip WHERE id = $1',
    [tripId],
  );
  const row = found.rows[0];
  if (row === undefined) {
    throw new ReleaseRefusedError(`there is no trip ${tripId}. See: dormouse breaker status`);
  }
  if (row.released_at !== null) throw new ReleaseRefusedError(`trip ${tripId} was released already`);
}

/** The database counts, audits and applies the vote. There is no other way to release a trip. */
async function vote(
  client: pg.PoolClient,
  releaseId: number,
  { actor, owner, at }: Pick<ReleaseRequest, 'actor' | 'owner' | 'at'>,
): Promise<Release> {
  const { rows } = await client.query<{ in_force: boolean }>(
    'SELECT breaker_agree_as($1, $2, $3, $4) AS in_force',
    [releaseId, storable(actor), storable(owner ?? actor), Math.floor(at)],
  );
  const release = await readRelease(client, releaseId);
  if (rows[0]?.in_force === true && release.identities === undefined) {
    const ended = await readTrip(client, release.tripId);
    if (ended?.cause === 'clock') await forgetClock(client);
    if (ended?.cause === 'restored') await forgetLostMarks(client);
  }
  return release;
}

async function readRelease(client: pg.Pool | pg.PoolClient, releaseId: number): Promise<Release> {
  const found = await client.query<{
    trip_id: string;
    reason: string;
    identities: string[] | null;
    effective_at: Date | null;
    operators: number;
    actors: string[];
    owners: string[];
  }>(
    `SELECT trip_id, reason, identities, effective_at, operators,
       ARRAY(SELECT actor FROM breaker_release_vote WHERE release_id = breaker_release.id ORDER BY voted_at, actor) AS actors,
       ARRAY(SELECT coalesce(owner, actor) FROM breaker_release_vote WHERE release_id = breaker_release.id ORDER BY voted_at, actor) AS owners
     FROM breaker_release JOIN breaker_trip ON breaker_trip.id = trip_id WHERE breaker_release.id = $1`,
    [releaseId],
  );
  const row = found.rows[0];
  if (row === undefined) {
    throw new ReleaseRefusedError(`there is no release ${releaseId}. See: dormouse breaker status`);
  }
  return {
    id: releaseId,
    tripId: Number(row.trip_id),
    reason: row.reason,
    ...(row.identities === null ? {} : { identities: row.identities }),
    actors: row.actors,
    owners: row.owners,
    operators: row.operators,
    ...(row.effective_at === null ? {} : { effectiveAt: row.effective_at.getTime() }),
  };
}
