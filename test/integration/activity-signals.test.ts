/** Which signs of life reach the workflow at once, and which wait for its next wake-up: decided with the batch's own statement. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { giveBackClaims, recordAndClaim } from '../../src/store/activity-signals.js';
import type { IdentitySign } from '../../src/store/user-activity.js';
import { readActivity } from '../../src/store/user-activity.js';
import { openOutside } from '../support/system-outside.js';

const outside = openOutside();
const { pool } = outside;
afterAll(() => outside.close());

const t0 = Date.UTC(2026, 0, 1);
const hour = 3_600_000;

function sign(identityId: string, at: number, kind: IdentitySign['kind'] = 'human'): IdentitySign {
  return { identityId, at, kind, source: 'test' };
}

/** The projection of a lifecycle, as far as the entrance looks at it. */
async function standingOf(identityId: string, offBottom: boolean, windowMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO standing (identity_id, stage, stage_since, last_active_at, document, revision, updated_at, off_bottom, signal_window_ms)
     VALUES ($1, 'active', now(), now(), '{}', 1, now(), $2, $3)`,
    [identityId, offBottom, windowMs],
  );
}

describe('the workflow is told at once', () => {
  it('of an identity that has no lifecycle yet', async () => {
    const id = randomUUID();
    expect(await recordAndClaim(pool, [sign(id, t0)], t0)).toEqual([id]);
  });

  it('of an identity off the bottom of the ladder, each time it is seen', async () => {
    const id = randomUUID();
    await standingOf(id, true, 24 * hour);
    expect(await recordAndClaim(pool, [sign(id, t0)], t0)).toEqual([id]);
    expect(await recordAndClaim(pool, [sign(id, t0 + 1)], t0 + 1)).toEqual([id]);
  });

  it('once in a window at the bottom, whatever the number of requests', async () => {
    const id = randomUUID();
    await standingOf(id, false, 24 * hour);
    const told: number[] = [];
    for (let hours = 0; hours < 72; hours += 1) {
      const now = t0 + hours * hour;
      if ((await recordAndClaim(pool, [sign(id, now)], now)).length > 0) told.push(hours);
    }
    expect(told).toEqual([0, 24, 48]);
    expect(await readActivity(pool, id)).toEqual({ human: t0 + 71 * hour });
  });

  it('again by the next sign, when telling it failed', async () => {
    const id = randomUUID();
    await standingOf(id, false, 24 * hour);
    await recordAndClaim(pool, [sign(id, t0)], t0);
    await giveBackClaims(pool, [id]);
    expect(await recordAndClaim(pool, [sign(id, t0 + 1)], t0 + 1)).toEqual([id]);
  });
});

describe('the workflow is not told', () => {
  it('of what moves nothing forward: late, twice, replayed', async () => {
    const id = randomUUID();
    await standingOf(id, true, 0);
    await recordAndClaim(pool, [sign(id, t0)], t0);
    expect(await recordAndClaim(pool, [sign(id, t0)], t0 + hour)).toEqual([]);
    expect(await recordAndClaim(pool, [sign(id, t0 - hour)], t0 + hour)).toEqual([]);
    expect(await readActivity(pool, id)).toEqual({ human: t0 });
  });
});

it('many gateways at once: at least one of them tells, and the latest time stands', async () => {
  const ids = Array.from({ length: 50 }, () => randomUUID());
  for (const id of ids) await standingOf(id, false, 24 * hour);
  const batches = Array.from({ length: 8 }, (_, gateway) => ids.map((id) => sign(id, t0 + gateway)));
  const claims = await Promise.all(batches.map((batch) => recordAndClaim(pool, batch, t0)));
  const told = claims.flat();
  for (const id of ids) {
    expect(told).toContain(id);
    expect(await readActivity(pool, id)).toEqual({ human: t0 + 7 });
  }
});
