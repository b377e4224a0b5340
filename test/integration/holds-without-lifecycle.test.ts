/** Holds on identities without a running lifecycle: by the client, on the real servers. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/log-table.js';
import { InvalidRequestError } from '../../src/client.js';
import { buryIdentity, isBuried } from '../../src/deletion/tombstones-table.js';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { isOnHold, lockHolds } from '../../src/holds/holds-table.js';
import { openClientHarness } from '../support/harness/client.js';
import { unknownId } from '../support/system-outside.js';
import { eventually, rejection } from '../support/system-wait.js';

const system = await openClientHarness();
const { dormouse, harness, policyId } = system;
const { people, pool, stack } = harness;
const connection = await Connection.connect({ address: stack.temporal.address });
const temporal = new Client({ connection });
afterAll(async () => {
  await connection.close();
  await system.harness.end();
});

const dayMs = 86_400_000;
const actor = 'operator-7';
const legal = () => ({ actor, reason: 'case 7', kind: 'legal' as const, until: Date.now() + 30 * dayMs });
const holdEvents = async (id: string) =>
  (await readAudit(pool, id)).filter(({ eventType }) => eventType.startsWith('hold_'));
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
/** Whether a transaction waits for the lock on the identity's holds. */
const isWaitedFor = async (id: string) => {
  const waiting = await pool.query(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)`,
    [`hold/${id}`],
  );
  return waiting.rows.length > 0;
};
const idsOf = (answer: { holds?: readonly { id: string }[] }) => (answer.holds ?? []).map(({ id }) => id);

async function begin(id: string) {
  await dormouse.enrol(id, { policyId });
  return eventually('the hold in the standing', async () => {
    const standing = await dormouse.standing(id);
    return standing?.blocked?.by === 'hold' ? standing : undefined;
  });
}

describe.concurrent('a hold on an identity that is not enrolled', () => {
  it('is stored and audited, and its lifecycle waits from the first look', async () => {
    const { id } = await people.create('held');
    expect(await dormouse.hold(id, legal())).toMatchObject({
      identityId: id,
      stage: 'none',
      holds: [{ id: 'h1', kind: 'legal', reason: 'case 7', actor }],
    });
    expect(await holdEvents(id)).toMatchObject([
      { eventType: 'hold_set', actor, stage: 'none', detail: { holdId: 'h1', kind: 'legal' } },
    ]);
    expect(await begin(id)).toMatchObject({ hold: { id: 'h1', kind: 'legal' } });
  });

  it('an id that nobody has: the same answer, with the advice to check it', async () => {
    const answer = await dormouse.hold(unknownId(), legal());
    expect(answer).toMatchObject({ stage: 'none', why: expect.stringContaining('Check the id') });
  });

  it('ten at once are ten holds with ids of their own, and ten audit entries', async () => {
    const id = unknownId();
    await Promise.all(Array.from({ length: 10 }, () => dormouse.hold(id, legal())));
    const events = await holdEvents(id);
    expect(new Set(events.map(({ detail }) => detail?.holdId)).size).toBe(10);
    expect(events).toHaveLength(10);
  });

  it('the same request ten times at once is one hold, also after the enrolment', async () => {
    const { id } = await people.create('held');
    const request = { ...legal(), requestId: 'r-1' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => dormouse.hold(id, request)));
    expect(answers.map(idsOf)).toEqual(answers.map(() => ['h1']));
    await begin(id);
    expect(idsOf(await dormouse.hold(id, request))).toEqual(['h1']);
    expect(await holdEvents(id)).toHaveLength(1);
    const released = await dormouse.release(id, { actor, reason: 'closed', kind: 'legal' });
    expect(idsOf(released)).toEqual([]);
  });

  it('the 31st is refused, and so are a reserved actor, an unknown kind and a hold of 11 years', async () => {
    const id = unknownId();
    await Promise.all(Array.from({ length: 30 }, () => dormouse.hold(id, legal())));
    const refused = async (request: object) => {
      const error = await rejection(dormouse.hold(id, { ...legal(), ...request }));
      expect(error).toBeInstanceOf(InvalidRequestError);
      return error.message;
    };
    expect(await refused({})).toMatch(/30 holds already/);
    const other = unknownId();
    for (const [request, message] of [
      [{ actor: 'engine' }, /^actor: /],
      [{ reason: '' }, /^reason: /],
      [{ kind: 'arrest' }, /^kind: /],
      [{ until: Date.now() + 4_000 * dayMs }, /^until: .*ten years/],
    ] as const) {
      const error = await rejection(dormouse.hold(other, { ...legal(), ...request } as never));
      expect(error.message).toMatch(message);
    }
    expect(await isOnHold(pool, other, Date.now())).toBe(false);
  });
});

describe.concurrent('a release without a lifecycle', () => {
  it('ends the one that is meant; a legal hold only where the kind is said', async () => {
    const id = unknownId();
    await dormouse.hold(id, legal());
    const by = { actor, reason: 'closed' };
    expect((await rejection(dormouse.release(id, by))).message).toMatch(/legal hold/);
    expect(idsOf(await dormouse.release(id, { ...by, kind: 'legal' }))).toEqual([]);
    expect(await isOnHold(pool, id, Date.now())).toBe(false);
    expect((await rejection(dormouse.release(id, by))).message).toMatch(/no hold/);
    expect((await holdEvents(id)).map(({ eventType }) => eventType)).toEqual(['hold_set', 'hold_released']);
  });

  it('repeated with its request id, ends no second hold of the same kind', async () => {
    const id = unknownId();
    await dormouse.hold(id, legal());
    const release = { actor, reason: 'closed', kind: 'legal' as const, requestId: 'r-2' };
    await dormouse.release(id, release);
    await dormouse.hold(id, legal());
    expect(idsOf(await dormouse.release(id, release))).toEqual(['h2']);
  });

  it('waits for another one that is being written, and ends nothing twice', async () => {
    const id = unknownId();
    await dormouse.hold(id, legal());
    const first = await pool.connect();
    try {
      await first.query('BEGIN');
      await lockHolds(first, id);
      let hasEnded = false;
      const second = dormouse
        .release(id, { actor, reason: 'closed', kind: 'legal' })
        .then(() => undefined, messageOf)
        .finally(() => {
          hasEnded = true;
        });
      await eventually('the second release waits', async () => hasEnded || (await isWaitedFor(id)));
      await first.query('UPDATE identity_hold SET released_at = now() WHERE identity_id = $1', [id]);
      await first.query('COMMIT');
      expect(await second).toMatch(/no hold/);
    } finally {
      await first.query('ROLLBACK');
      first.release();
    }
    expect((await holdEvents(id)).map(({ eventType }) => eventType)).toEqual(['hold_set']);
  });

  it('reaches a lifecycle that has read the hold already, at its next look', async () => {
    const { id } = await people.create('held');
    await dormouse.hold(id, legal());
    await begin(id);
    // As a release that was written while this lifecycle was being started.
    await pool.query('UPDATE identity_hold SET released_at = now() WHERE identity_id = $1', [id]);
    await dormouse.lookAgain(id);
    await eventually('no hold', async () => (await dormouse.standing(id))?.hold === undefined);
  });
});

describe.concurrent('a lifecycle that was lost', () => {
  it('leaves the identity to be held; the next lifecycle has both holds', async () => {
    const { id } = await people.create('held');
    await dormouse.enrol(id, { policyId });
    await eventually('a standing', () => dormouse.standing(id));
    await dormouse.hold(id, { ...legal(), kind: 'leave' });
    await temporal.workflow.getHandle(lifecycleWorkflowId(id)).terminate('lost');
    expect(idsOf(await dormouse.hold(id, legal()))).toEqual(['h1', 'h2']);
    expect((await holdEvents(id)).at(-1)).toMatchObject({ stage: 'active' });
    await dormouse.enrol(id, { policyId });
    await eventually('both holds', async () => {
      const standing = await dormouse.standing(id);
      return (standing?.holds ?? []).map((one) => one.id).join() === 'h1,h2';
    });
  });
});

describe.concurrent('a buried identity', () => {
  it('is held: the tombstone stays, and the answer does not tell that there is one', async () => {
    const { id } = await people.create('held');
    await buryIdentity(pool, id, undefined, Date.now());
    const answer = await dormouse.hold(id, legal());
    const { identityId: _id, holds: _holds, ...unlike } = answer;
    const { identityId: _other, holds: _others, ...like } = await dormouse.hold(unknownId(), legal());
    expect(unlike).toEqual(like);
    expect(await isBuried(pool, id)).toBe(true);
    expect(await begin(id)).toMatchObject({ holds: [{ id: 'h1' }] });
  });
});
