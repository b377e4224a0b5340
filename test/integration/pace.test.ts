/** Two workers' clients share one pace: what a server answers to one of them holds for both. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { nothingSeen } from '../../src/domain/pace/pace.js';
import { callOry } from '../../src/ory/call.js';
import { createKratosClient } from '../../src/ory/clients.js';
import { takePlaces } from '../../src/pacing/pace-table.js';
import { createPacers } from '../../src/pacing/start-pacers.js';
import { createPool } from '../../src/postgres/pool.js';
import { type FreshDatabase, openFreshDatabase } from '../support/system-database.js';
import { until } from '../support/until.js';

let database: FreshDatabase;
let server: Server;
let url: string;
let requests: string[] = [];
let busyFor: string | undefined;

beforeAll(async () => {
  database = await openFreshDatabase();
  server = createServer((request, response) => {
    requests.push(`${request.headers['user-agent']}`);
    response.setHeader('content-type', 'application/json');
    if (busyFor !== undefined) response.writeHead(429, { 'retry-after': busyFor });
    response.end(busyFor === undefined ? '[]' : '{"error":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await database.close();
});
beforeEach(async () => {
  requests = [];
  busyFor = undefined;
  await database.pool.query('DELETE FROM pace');
});

function openWorker() {
  const pool = createPool({ url: database.url, max: 2 });
  const pacers = createPacers(pool, { kratos: 'auto', hydra: 'auto' }, () => undefined);
  const client = createKratosClient(url, { pacers });
  return {
    list: () => callOry('Kratos', 'listIdentities', () => client.listIdentities()),
    figures: () => pacers.kratos.figures(),
    close: () => pool.end(),
  };
}

const rows = async () => (await database.pool.query('SELECT system, rate, paused_until FROM pace')).rows;

it('a Retry-After that one worker is told keeps both from calling, and halves the rate', async () => {
  const [one, other] = [openWorker(), openWorker()];
  busyFor = '600';
  await expect(one.list()).rejects.toMatchObject({ type: 'KratosBusy', nextRetryDelay: 600_000 });
  await until('it has told', async () => (await rows())[0]?.paused_until > 0);
  busyFor = undefined;
  for (const worker of [one, other]) {
    const error = await worker.list().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'KratosBusy', nonRetryable: false });
    expect((error as { nextRetryDelay: number }).nextRetryDelay).toBeGreaterThan(60_000);
  }
  expect(requests).toHaveLength(1);
  expect(await rows()).toMatchObject([{ system: 'kratos', rate: 50 }]);
  expect([one.figures().refused, other.figures().refused, other.figures().rate]).toEqual([1, 0, 50]);

  await database.pool.query('UPDATE pace SET paused_until = 0');
  expect(await Promise.all([one.list(), other.list()])).toEqual([[], []]);
  await one.close();
  await other.close();
});

it('the places of two workers follow one another', async () => {
  const rare = { least: 0.001, first: 0.001, most: 0.001 };
  const other = createPool({ url: database.url, max: 1 });
  const one = await takePlaces(database.pool, 'kratos', rare, nothingSeen, 5);
  const next = await takePlaces(other, 'kratos', rare, nothingSeen, 5);
  expect(one.places).toMatchObject({ count: 1, firstInMs: 0 });
  expect(next.places.count).toBe(0);
  expect(next.places.firstInMs).toBeGreaterThan(100_000);
  await other.end();
});

it('a clock of PostgreSQL that was set back stops no call', async () => {
  const limits = { least: 1, first: 100, most: 100 };
  await takePlaces(database.pool, 'hydra', limits, nothingSeen, 1);
  const ahead = 'extract(epoch FROM now()) * 1000 + 86400000';
  await database.pool.query(
    `UPDATE pace SET next_at = ${ahead}, paused_until = ${ahead}, changed_at = ${ahead}`,
  );
  expect((await takePlaces(database.pool, 'hydra', limits, nothingSeen, 1)).places.count).toBe(1);
});
