/** Items of the breaker: trips, and releases that need another operator. */

import { pendingReleases } from '../breaker/releases-table.js';
import { activeTrips } from '../breaker/trips-table.js';
import { adviceFor } from '../domain/breaker/trip.js';
import { wayOutOfWork } from './rules.js';
import { shortSource } from './source.js';

export const tripSource = shortSource('breaker-tripped', async (pool) =>
  (await activeTrips(pool)).map(({ id, scope, cause, why, trippedAt }) => ({
    kind: 'breaker-tripped',
    subject: `trip ${id}: ${scope}`,
    why: `${why} (${cause})`,
    wayOut: `${adviceFor(cause)} ${wayOutOfWork('breaker-tripped')}`,
    since: trippedAt,
  })),
);

export const releaseSource = shortSource('release-pending', async (pool) =>
  (await pendingReleases(pool)).map(({ id, tripId, reason, actors, operators }) => ({
    kind: 'release-pending',
    subject: `release ${id} of trip ${tripId}`,
    why: `${reason}: ${actors.length} of ${operators} operators (${actors.join(', ')})`,
    wayOut: wayOutOfWork('release-pending'),
  })),
);
