/** How the breaker answered before there was a call for many: the statements of one act, under the lock all of them. */
import type pg from 'pg';
import type { BreakerRequest } from '../../src/activities/breaker.js';
import type { ClockWitness } from '../../src/breaker/clock-witness.js';
import { readDoubt } from '../../src/breaker/doubts.js';
import { advanceClock, countGrants, population } from '../../src/breaker/grants-table.js';
import { activeTrips, lastRelease, lockBreaker } from '../../src/breaker/trips-table.js';
import { allowedActs } from '../../src/domain/breaker/rules.js';
import { inTransaction } from '../../src/postgres/pool.js';

/** @returns whether the act was let through */
export async function passFormerly(
  pool: pg.Pool,
  witness: ClockWitness,
  { key, action, identityId, rules, decidedAt }: BreakerRequest,
): Promise<boolean> {
  const now = Date.now();
  const testimony = await witness.testify(now);
  return inTransaction(pool, async (client) => {
    await lockBreaker(client);
    if ((await activeTrips(client, [action, 'all'])).length > 0) return false;
    await client.query('SELECT 1 FROM breaker_grant WHERE act_key = $1', [key]);
    if ((await readDoubt(client, { rules, decidedAt }, { now, testimony })) !== undefined) return false;
    const released = (await lastRelease(client, 'limit', action)) ?? 0;
    const done = await countGrants(client, action, Math.max(now - rules.windowMs, released));
    if (done >= allowedActs(rules, action, await population(client))) return false;
    await client.query(
      `INSERT INTO breaker_grant (act_key, action, identity_id, granted_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (act_key) DO NOTHING`,
      [key, action, identityId, new Date(now)],
    );
    await client.query('DELETE FROM breaker_grant WHERE action = $1 AND granted_at < $2', [
      action,
      new Date(now - 2 * rules.windowMs),
    ]);
    await advanceClock(client, now);
    return true;
  });
}
