/** The client while Temporal, PostgreSQL or both are away: a bounded wait and a typed answer, never a hang. */
import { afterAll, describe, expect, it } from 'vitest';
import { createDormouse } from '../../src/client/direct.js';
import type { DirectOptions } from '../../src/client/types.js';
import { DormouseUnavailableError } from '../../src/client.js';
import { readSigns } from '../../src/signs/signs-table.js';
import { closedPort, type FreezableWire, startSilentServer, startWire } from '../support/fault-tcp.js';
import { fresh, openOutside, unknownId } from '../support/system-outside.js';
import { eventually, rejection, settled } from '../support/system-wait.js';

const outside = openOutside();
const { pool, stack } = outside;
const open: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of open.reverse()) await close();
  await outside.close();
});

type Away = 'nobody listens' | 'nobody answers';
const ways: Away[] = ['nobody listens', 'nobody answers'];

async function portOf(away: Away): Promise<number> {
  if (away === 'nobody listens') return closedPort();
  const silent = await startSilentServer();
  open.push(() => silent.close());
  return silent.port;
}

const temporalAway = async (away: Away) => ({ address: `127.0.0.1:${await portOf(away)}` });
const databaseAt = (port: number) => {
  const url = new URL(stack.postgres.url);
  url.port = String(port);
  return url.href;
};
const postgresAway = async (away: Away) => databaseAt(await portOf(away));

function client(options: Partial<DirectOptions>) {
  const dormouse = createDormouse({
    temporal: stack.temporal,
    postgresUrl: stack.postgres.url,
    // Nobody works on it: workflows start and wait.
    taskQueue: fresh('nobody'),
    timeoutMs: 300,
    requestTimeoutMs: 300,
    ...options,
  });
  open.push(async () => {
    expect((await settled(dormouse.close())).status).not.toBe('hanging');
  });
  return dormouse;
}

function expectUnavailable(error: Error, system: string): void {
  expect(error).toBeInstanceOf(DormouseUnavailableError);
  expect(error).toMatchObject({ system });
  expect(error.message).toMatch(new RegExp(`^${system} did not answer in time`));
}

describe.concurrent.each(ways)('Temporal is away (%s)', (away) => {
  it('recordActivity: recorded in PostgreSQL, and counted as without signal', async () => {
    const dormouse = client({ temporal: await temporalAway(away), timeoutMs: 8_000 });
    const [id, at] = [unknownId(), Date.now() - 1_000];
    expect(await settled(dormouse.recordActivity(id, { at }))).toMatchObject({ value: 'recorded' });
    expect(await readSigns(pool, id)).toEqual({ human: at });
    expect(dormouse.counters()).toMatchObject({ recorded: 1, dropped: 0, recordedWithoutSignal: 1 });
  });

  it('every other call that needs it throws a typed error', async () => {
    const dormouse = client({ temporal: await temporalAway(away) });
    const id = unknownId();
    const by = { actor: 'operator-7', reason: 'leave' };
    const calls = [
      dormouse.enrol(id),
      dormouse.liveStanding(id),
      dormouse.hold(id, { ...by, until: Date.now() + 60_000 }),
      dormouse.release(id, by),
      dormouse.reactivate(id, by),
      dormouse.applyPolicy(id, { ...by, policyId: 'default' }),
      dormouse.retryParked(id, by),
    ];
    for (const error of await Promise.all(calls.map(rejection))) expectUnavailable(error, 'Temporal');
  });

  it('the standing is read all the same', async () => {
    const dormouse = client({ temporal: await temporalAway(away), timeoutMs: 15_000 });
    expect(await settled(dormouse.standing(unknownId()))).toMatchObject({ status: 'fulfilled' });
  });
});

describe.concurrent.each(ways)('PostgreSQL is away (%s)', (away) => {
  it('recordActivity: the signal is enough', async () => {
    const dormouse = client({ postgresUrl: await postgresAway(away), timeoutMs: 8_000 });
    expect(await settled(dormouse.recordActivity(unknownId()))).toMatchObject({ value: 'recorded' });
    expect(dormouse.counters()).toMatchObject({ recorded: 1, dropped: 0, recordedWithoutSignal: 0 });
  });

  it('the standing is a typed error', async () => {
    const dormouse = client({ postgresUrl: await postgresAway(away) });
    expectUnavailable(await rejection(dormouse.standing(unknownId())), 'PostgreSQL');
  });
});

describe.concurrent.each(ways)('both are away (%s)', (away) => {
  const both = async () => ({
    temporal: await temporalAway(away),
    postgresUrl: await postgresAway(away),
  });

  it('by default, recordActivity throws a typed error', async () => {
    const dormouse = client(await both());
    const error = await rejection(dormouse.recordActivity(unknownId()));
    expect(error).toBeInstanceOf(DormouseUnavailableError);
    expect(dormouse.counters()).toMatchObject({ recorded: 0, dropped: 0, recordedWithoutSignal: 0 });
  });

  it('with "drop", it is dropped and counted; a mistake is still a mistake', async () => {
    const dormouse = client({ ...(await both()), whenUnavailable: 'drop' });
    const all = Array.from({ length: 5 }, () => settled(dormouse.recordActivity(unknownId())));
    for (const outcome of await Promise.all(all)) expect(outcome).toMatchObject({ value: 'dropped' });
    expect(dormouse.counters()).toMatchObject({ recorded: 0, dropped: 5 });
    expect((await rejection(dormouse.recordActivity('jane@example.com'))).name).toBe(
      'InvalidIdentityIdError',
    );
    expect(dormouse.counters().dropped).toBe(5);
  });
});

describe.concurrent('a worker that is away', () => {
  it('an update waits no longer than its timeout', async () => {
    const dormouse = client({ timeoutMs: 15_000 });
    const id = unknownId();
    await dormouse.recordActivity(id);
    const request = { actor: 'operator-7', reason: 'leave', until: Date.now() + 60_000 };
    expectUnavailable(await rejection(dormouse.hold(id, request)), 'Temporal');
    expectUnavailable(await rejection(dormouse.liveStanding(id)), 'Temporal');
  });
});

describe.concurrent('a PostgreSQL that falls silent on open connections', () => {
  const wireTo = async (): Promise<FreezableWire> => {
    const { hostname, port } = new URL(stack.postgres.url);
    const wire = await startWire({ host: hostname, port: Number(port) });
    open.push(() => wire.close());
    return wire;
  };

  it('bounds each call, and is found again when it is back', async () => {
    const wire = await wireTo();
    const dormouse = client({ postgresUrl: databaseAt(wire.port), timeoutMs: 500 });
    await eventually('a connection', async () => {
      return (await settled(dormouse.standing(unknownId()))).status === 'fulfilled';
    });
    wire.freeze();
    // More calls than the pool has connections: none may stay taken by a dead one.
    const calls = Array.from({ length: 15 }, () => rejection(dormouse.standing(unknownId())));
    for (const error of await Promise.all(calls)) expectUnavailable(error, 'PostgreSQL');
    wire.replace();
    await eventually('the standing again', async () => {
      return (await settled(dormouse.standing(unknownId()))).status === 'fulfilled';
    });
  });
});
