/** The worker is killed in the middle of a sweep, and the sweep is completed by the next one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EntryProcess, workerProcess } from '../support/entry-process.js';
import { Sweeps } from '../support/sweeps.js';
import { until } from '../support/until.js';

let sweeps: Sweeps;
let worker: EntryProcess;

beforeAll(async () => {
  sweeps = await Sweeps.open();
  worker = workerProcess(sweeps.environment);
});
afterAll(async () => {
  await worker.kill();
  await sweeps.end();
});

it('goes on where the killed worker was, and leaves no gap', async () => {
  const identities = await sweeps.createIdentities(200);
  const total = await sweeps.countIdentities();
  await worker.start();
  // Slow enough to be in the middle for seconds: heartbeats reach the server once a second.
  const handle = await sweeps.startReconcile({ pageSize: 10, startsPerSecond: 20 });
  await until('the middle of the sweep', () => sweeps.pagesAsked().length >= 8, { timeoutMs: 60_000 });
  await worker.kill();
  const before = sweeps.pagesAsked().length;
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await worker.start();

  const result = await handle.result();

  expect(result).toMatchObject({ seen: total, failed: 0 });
  expect(result.started + result.alreadyRunning).toBe(total);
  expect(await sweeps.withoutExactlyOne(identities)).toEqual([]);
  const asked = sweeps.pagesAsked();
  expect(asked.filter((token) => token === null)).toHaveLength(1);
  // It continues from the last heartbeat, and does not begin anew.
  const again = asked.length - new Set(asked).size;
  expect(again).toBeLessThan(before);
});
