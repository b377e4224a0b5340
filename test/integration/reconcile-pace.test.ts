/** A sweep keeps its rates: counted by an injected clock, not by the one on the wall. */
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createReconcileActivities, type PagesInput } from '../../src/activities/reconcile.js';
import { createOryClients } from '../../src/ory/clients.js';
import { systemClock } from '../../src/process/clock.js';
import { Pacer } from '../../src/process/pacer.js';
import { enrolPage } from '../../src/reconciliation/enrol.js';
import {
  noCounts,
  type ReconcileOptions,
  type SweepPosition,
} from '../../src/workflows/reconcile-messages.js';
import { Sweeps, testOptions } from '../support/sweeps.js';

let sweeps: Sweeps;
const unlimited = 1e9;

beforeAll(async () => {
  sweeps = await Sweeps.open();
  await sweeps.createIdentities(60);
});
afterAll(() => sweeps.end());

/** Turns the whole directory as a preview. @returns where it came to, and the time that the pace took, milliseconds */
async function sweep(rates: Partial<ReconcileOptions>): Promise<{ end: SweepPosition; tookMs: number }> {
  let time = 0;
  const { reconcilePages } = createReconcileActivities({
    identities: createOryClients({
      kratosAdminUrl: sweeps.kratos.url,
      hydraAdminUrl: inject('stack').hydra.adminUrl,
    }).identities,
    pool: sweeps.harness.pool,
    clock: systemClock,
    // Deleted identities are not counted: this test is about the pace.
    assess: async () => ({ activity: {}, plan: noPlan }),
    paceClock: {
      now: () => time,
      sleep: async (ms) => {
        time += ms;
      },
    },
  });
  const environment = new MockActivityEnvironment({}, { client: sweeps.harness.client });
  const input: PagesInput = {
    options: { ...testOptions, dryRun: true, pageSize: 10, ...rates },
    taskQueue: sweeps.taskQueue,
    position: { place: { phase: 'identities' }, counts: noCounts, preview: {} },
    forMs: 60_000,
  };
  const end: SweepPosition = await environment.run(reconcilePages, input);
  return { end, tookMs: time };
}

const noPlan = {
  policy: { id: 'none', version: 0, hash: '' },
  rungs: [],
  keepsAlive: ['human'],
  signalWindowMs: 1,
  recheckMs: 1,
  retry: { attempts: 1, firstAfterMs: 1, longestAfterMs: 1 },
} as const;

it('asks Kratos for 2 lists a second', async () => {
  const { end, tookMs } = await sweep({ kratosCallsPerSecond: 2, startsPerSecond: unlimited });
  expect(end.place.phase).toBe('done');
  expect(end.counts.pages).toBeGreaterThanOrEqual(6);
  // One turn for each list, one for the look at lifecycles that finds none.
  expect(tookMs).toBeCloseTo(end.counts.pages * 500, 0);
});

it('looks at 10 people a second', async () => {
  const { end, tookMs } = await sweep({ kratosCallsPerSecond: unlimited, startsPerSecond: 10 });
  expect(end.counts.seen).toBeGreaterThanOrEqual(60);
  expect(tookMs).toBeCloseTo((end.counts.seen - 1) * 100, 0);
});

it('starts 10 lifecycles a second', async () => {
  const identities = await sweeps.createIdentities(20);
  const connection = await Connection.connect({ address: inject('stack').temporal.address });
  const waits: number[] = [];
  const startPacer = new Pacer(10, {
    now: () => 0,
    sleep: async (ms) => {
      waits.push(ms);
    },
  });
  const client = new Client({ connection });
  const tools = { client, taskQueue: sweeps.taskQueue, startPacer, alive: () => undefined };
  const outcome = await enrolPage(tools, identities, { policyId: 'default', spreadMs: 0 });
  await connection.close();
  expect(outcome).toEqual({ started: 20, alreadyRunning: 0, failed: 0 });
  expect(waits).toHaveLength(19);
  expect(Math.max(...waits)).toBeCloseTo(1_900);
});
