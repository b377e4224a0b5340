/** The activity that forgets an identity which Kratos no longer knows. Safe to repeat. */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import { readConfirmation } from '../absence/confirmations-table.js';
import { controlAbsence } from '../absence/control.js';
import { giveGrantBack, useGrant } from '../breaker/asking.js';
import { readTrip } from '../breaker/trips-table.js';
import { buryIdentity } from '../deletion/tombstones-table.js';
import type { Trip } from '../domain/breaker/trip.js';
import type { Remembered } from '../domain/lifecycle/state.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { isOnHold } from '../holds/holds-table.js';
import { readIdentity } from '../ory/kratos-identity.js';
import type { Clock } from '../process/clock.js';

export interface BurialDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
}

export interface BurialRequest {
  readonly identityId: string;
  /** Epoch milliseconds. An operator's earlier confirmation does not count. */
  readonly missingSince: number;
  readonly policy?: PolicyReference;
  readonly remembered: Remembered;
  /** The key under which the breaker counted the burial. Absent: the policy has no breaker. */
  readonly granted?: { readonly key: string };
}

export type BurialOutcome =
  | { readonly outcome: 'done' }
  /** The identity is there again. */
  | { readonly outcome: 'back' }
  /** An operator's hold is in force. */
  | { readonly outcome: 'on-hold' }
  /** Other identities are missing too. */
  | { readonly outcome: 'doubted' }
  /** The breaker tripped since it let the act pass. Without a trip: the act is not counted. */
  | { readonly outcome: 'held'; readonly trip?: Trip };

export function createBurialActivities({ identities, pool, clock }: BurialDependencies) {
  /** @returns why nothing may be forgotten */
  async function stopOf(request: BurialRequest): Promise<BurialOutcome | undefined> {
    const { identityId, missingSince, granted } = request;
    // guard: absence: the burial looks for itself
    if ((await readIdentity(identities, identityId)) !== undefined) return { outcome: 'back' };
    const [{ control }, confirmation] = await Promise.all([
      controlAbsence({ identities, pool }, identityId),
      readConfirmation(pool, identityId),
    ]);
    const isConfirmed = confirmation !== undefined && confirmation.at >= missingSince;
    // guard: absence: the burial has a control of its own
    if (control !== 'witnessed' && !isConfirmed) return { outcome: 'doubted' };
    // guard: holds: a burial heeds them
    if (await isOnHold(pool, identityId, await clock.now())) return { outcome: 'on-hold' };
    if (granted === undefined) return undefined;
    const use = await useGrant(pool, { ...granted, identityId, action: 'bury' }, await clock.now());
    if (use.outcome === 'used') return undefined;
    const trip = use.outcome === 'held' ? await readTrip(pool, use.tripId) : undefined;
    return { outcome: 'held', ...(trip && { trip }) };
  }

  return {
    /**
     * Takes a last look with the same control as before, then forgets PostgreSQL's data of the
     * identity and leaves a tombstone.
     */
    async buryMissing(request: BurialRequest): Promise<BurialOutcome> {
      const { identityId, policy, remembered, granted } = request;
      const stop = await stopOf(request);
      if (stop !== undefined) {
        if (granted !== undefined && stop.outcome !== 'held') await giveGrantBack(pool, granted.key);
        return stop;
      }
      await buryIdentity(pool, identityId, policy, await clock.now(), 'delete', remembered);
      return { outcome: 'done' };
    },
  };
}

export type BurialActivities = ReturnType<typeof createBurialActivities>;
