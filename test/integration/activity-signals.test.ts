/** Which signs of life reach the workflow at once, and which wait for its next wake-up: decided with the batch's own statement. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Standing } from '../../src/domain/standing.js';
import { sweepClaims } from '../../src/signs/claim-sweep.js';
import { closeClaim, recordAndClaim, takeOverClaims } from '../../src/signs/claims-table.js';
import type { IdentitySign } from '../../src/signs/identity-sign.js';
import { forgetSigns, readSigns } from '../../src/signs/signs-table.js';
import { writeStanding } from '../../src/standings/standings-table.js';
import { openFreshDatabase } from '../support/system-database.js';

// A database of its own, because any worker takes over any claim.
const database = await openFreshDatabase();
const { pool } = database;
beforeEach(async () => {
  await pool.query('TRUNCATE identity_activity, activity_signal, standing');
});
afterAll(() => database.close());

const t0 = Date.UTC(2026, 0, 1);
const hour = 3_600_000;

function sign(identityId: string, at: number, kind: IdentitySign['kind'] = 'human'): IdentitySign {
  return { identityId, at, kind, source: 'test' };
}

/** The identities whose workflow is told. */
async function told(signs: readonly IdentitySign[], now: number): Promise<readonly string[]> {
  return (await recordAndClaim(pool, signs, now)).identityIds;
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
    expect(await told([sign(id, t0)], t0)).toEqual([id]);
  });

  it('of an identity off the bottom of the ladder, each time it is seen', async () => {
    const id = randomUUID();
    await standingOf(id, true, 24 * hour);
    expect(await told([sign(id, t0)], t0)).toEqual([id]);
    expect(await told([sign(id, t0 + 1)], t0 + 1)).toEqual([id]);
  });

  it('once in a window at the bottom, whatever the number of requests', async () => {
    const id = randomUUID();
    await standingOf(id, false, 24 * hour);
    const hoursTold: number[] = [];
    for (let hours = 0; hours < 72; hours += 1) {
      const now = t0 + hours * hour;
      if ((await told([sign(id, now)], now)).length > 0) hoursTold.push(hours);
    }
    expect(hoursTold).toEqual([0, 24, 48]);
    expect(await readSigns(pool, id)).toEqual({ human: t0 + 71 * hour });
  });
});

describe('the workflow is not told', () => {
  it('of signs that move nothing forward: late, twice, replayed', async () => {
    const id = randomUUID();
    await standingOf(id, true, 0);
    await recordAndClaim(pool, [sign(id, t0)], t0);
    expect(await told([sign(id, t0)], t0 + hour)).toEqual([]);
    expect(await told([sign(id, t0 - hour)], t0 + hour)).toEqual([]);
    expect(await readSigns(pool, id)).toEqual({ human: t0 });
  });
});

it('many gateways at once: at least one of them tells, and the latest time stands', async () => {
  const ids = Array.from({ length: 50 }, () => randomUUID());
  for (const id of ids) await standingOf(id, false, 24 * hour);
  const batches = Array.from({ length: 8 }, (_, gateway) => ids.map((id) => sign(id, t0 + gateway)));
  const claims = await Promise.all(batches.map((batch) => told(batch, t0)));
  const all = claims.flat();
  for (const id of ids) {
    expect(all).toContain(id);
    expect(await readSigns(pool, id)).toEqual({ human: t0 + 7 });
  }
});

describe('an open claim is taken over', () => {
  const signs = async (graceMs = 0) => (await takeOverClaims(pool, graceMs, 1_000)).signs;
  it('once, and not before its time', async () => {
    const id = randomUUID();
    await told([sign(id, t0), sign(id, t0 + 1, 'token')], t0);
    expect(await signs(60_000)).toEqual([]);
    await pool.query(`UPDATE activity_signal SET open_since = open_since - interval '1 minute'`);
    const taken = await Promise.all([signs(60_000), signs(60_000), signs(60_000)]);
    expect(taken.flat().sort((a, b) => a.at - b.at)).toEqual([sign(id, t0), sign(id, t0 + 1, 'token')]);
    expect(await signs(60_000)).toEqual([]);
  });

  it('not when the workflow was told', async () => {
    const id = randomUUID();
    const claim = await recordAndClaim(pool, [sign(id, t0)], t0);
    await closeClaim(pool, claim.id, id);
    expect(await signs()).toEqual([]);
  });

  it('also when the workflow was told of an older sign meanwhile', async () => {
    const id = randomUUID();
    await standingOf(id, true, 0);
    const older = await recordAndClaim(pool, [sign(id, t0)], t0);
    await told([sign(id, t0 + 1)], t0 + 1);
    await closeClaim(pool, older.id, id);
    expect(await signs()).toEqual([sign(id, t0 + 1)]);
  });

  it('again, when the worker that took it over dies as well', async () => {
    const id = randomUUID();
    await told([sign(id, t0)], t0);
    expect(await signs()).toEqual([sign(id, t0)]);
    expect(await signs()).toEqual([sign(id, t0)]);
  });

  it('without a signal, if the projection has the sign or the identity was forgotten', async () => {
    const [shown, forgotten] = [randomUUID(), randomUUID()];
    await standingOf(shown, true, 0);
    await told([sign(shown, t0), sign(forgotten, t0)], t0);
    const document = JSON.stringify({ activity: { human: t0 } });
    await pool.query('UPDATE standing SET document = $2 WHERE identity_id = $1', [shown, document]);
    await forgetSigns(pool, forgotten);
    const taken = await takeOverClaims(pool, 0, 1_000);
    expect(taken.signs).toEqual([]);
    expect([...taken.identityIds].sort()).toEqual([shown, forgotten].sort());
  });

  it('closes the claims whose workflow was told, and keeps the others', async () => {
    const ids = [randomUUID(), randomUUID()];
    await told(
      ids.map((id) => sign(id, t0)),
      t0,
    );
    const heard: string[] = [];
    const tell = async ({ identityId }: IdentitySign) => {
      if (identityId === ids[0]) throw new Error('Temporal is away');
      heard.push(identityId);
    };
    expect(await sweepClaims({ pool, tell, graceMs: 0 })).toEqual({ told: 1, failed: 1 });
    expect(heard).toEqual([ids[1]]);
    expect((await signs()).map(({ identityId }) => identityId)).toEqual([ids[0]]);
  });
});

describe('a sign between the last look and the projection that says "off the bottom"', () => {
  it('is found, although it was recorded as of somebody at the bottom', async () => {
    const id = randomUUID();
    const standing = (offBottom: boolean): Standing => ({
      schemaVersion: 1,
      identityId: id,
      stage: 'active',
      since: t0,
      lastActiveAt: t0,
      activity: { token: t0 },
      why: 'for a test',
      notices: [],
      completed: {},
      warnings: [],
      offBottom,
      signalWindowMs: 24 * hour,
    });
    await writeStanding(pool, standing(false), 1);
    const first = await recordAndClaim(pool, [sign(id, t0, 'token')], t0);
    await closeClaim(pool, first.id, id);
    expect(await told([sign(id, t0 + hour)], t0 + hour)).toEqual([]);
    await writeStanding(pool, standing(true), 2);
    const missed = await takeOverClaims(pool, 0, 1_000);
    expect(missed.signs).toEqual([sign(id, t0 + hour)]);
    await closeClaim(pool, missed.id, id);
    // An identity that stays off the bottom needs no claim: its workflow is told at once.
    await writeStanding(pool, standing(true), 3);
    expect((await takeOverClaims(pool, 0, 1_000)).identityIds).toEqual([]);
  });
});
