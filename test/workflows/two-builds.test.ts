/**
 * Two builds of the workers on one task queue of the real Temporal server: a rolling upgrade, and the way back. The newer build is
 * the sources with one more change of course.
 */

import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import {
  buildIdOf,
  deploymentOptions,
  promote,
  promoteAtStart,
  readBuilds,
  readDeployment,
} from '../../src/worker/deployment.js';
import { patchActivation } from '../../src/worker/patch-activation.js';
import { bundleWorkflows } from '../../src/worker/workflow-bundle.js';
import { lookAgainSignal } from '../../src/workflows/messages.js';
import { typed } from '../support/command.js';
import { type Harness, type LifecycleHandle, openHarness } from '../support/harness/open.js';
import { slowPolicy } from '../support/system-outside.js';
import { until } from '../support/until.js';
import { quietLog } from '../support/workers.js';

quietLog();
type MarkerAttributes = proto.temporal.api.history.v1.IMarkerRecordedEventAttributes;

const change = 'only-the-newer-build-knows-this';
const policyId = 'two-builds';
let live: Harness;
let directory: string;
const bundles = { older: '', newer: '' };

beforeAll(async () => {
  live = await openHarness();
  await live.publish(slowPolicy(policyId));
  // Inside the project, so that its packages are found.
  directory = await mkdtemp(join(projectDirectory, '.build-'));
  await cp(join(projectDirectory, 'src'), join(directory, 'src'), { recursive: true });
  const changed = join(directory, 'src/workflows/identity-lifecycle.ts');
  const text = await readFile(changed, 'utf8');
  const begin = '  run.attention = false;\n';
  const course = `${begin}  if (patched('${change}')) await sleep(1, { summary: 'the newer course' });\n`;
  const newer = text.replace(begin, course);
  expect(newer).not.toBe(text);
  await writeFile(changed, newer);
  const { code } = await bundleWorkflows(join(directory, 'src/workflows/index.ts'));
  bundles.older = inject('workflowBundlePath');
  bundles.newer = join(directory, 'newer.js');
  await writeFile(bundles.newer, code);
});

afterAll(async () => {
  await live.end();
  await rm(directory, { recursive: true, force: true });
});

type Bundle = keyof typeof bundles;

/** One installation: a task queue, on which workers of both builds may run. Tests have one each, and run side by side. */
class Installation {
  readonly taskQueue = `two-builds-${randomUUID().slice(0, 8)}`;

  async start(bundle: Bundle, rollbackTo?: string): Promise<string> {
    const buildId = await this.buildId(bundle);
    await live.startWorkers(
      {},
      {
        taskQueue: this.taskQueue,
        workflowBundlePath: bundles[bundle],
        build: {
          deployment: deploymentOptions(this.taskQueue, buildId),
          patchActivation: patchActivation(rollbackTo),
        },
      },
    );
    return buildId;
  }

  buildId(bundle: Bundle): Promise<string> {
    return buildIdOf({ codePath: bundles[bundle] });
  }

  /** As an operator does it. */
  async promote(bundle: Bundle): Promise<void> {
    const buildId = await this.buildId(bundle);
    await until('Temporal knows the build', async () => {
      const builds = await readBuilds(live.client, this.taskQueue);
      return builds.some((build) => build.buildId === buildId);
    });
    await until('the build may be promoted', async () => {
      await promote(live.client, this.taskQueue, buildId);
      return true;
    });
  }

  async enrol(): Promise<LifecycleHandle> {
    const { id } = await live.people.create('two-builds');
    const handle = await live.enrol(id, this.taskQueue, { policyId });
    await until('the first look', async () => (await read(handle)).looks === 1);
    return handle;
  }
}

/** What a history says of the builds that worked on it. */
async function read(handle: LifecycleHandle) {
  const { events } = await handle.fetchHistory();
  const all = events ?? [];
  return {
    looks: all.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'assess')
      .length,
    failures: all.filter((event) => event.workflowTaskFailedEventAttributes).length,
    hasMarker: all.some((event) => isMarkerOf(event.markerRecordedEventAttributes)),
  };
}

/** Other changes that both builds know leave markers, too. */
function isMarkerOf(marker: MarkerAttributes | null | undefined): boolean {
  if (marker?.markerName !== 'core_patch') return false;
  const payloads = Object.values(marker.details ?? {}).flatMap((one) => one.payloads ?? []);
  return payloads.some(({ data }) =>
    Buffer.from(data ?? [])
      .toString()
      .includes(change),
  );
}

/** Has the lifecycle look once more. @returns its history then */
async function lookAgain(handle: LifecycleHandle) {
  const { looks } = await read(handle);
  await handle.signal(lookAgainSignal, { schemaVersion: 1 });
  return until('one more look', async () => {
    const now = await read(handle);
    return now.looks > looks ? now : undefined;
  });
}

describe.concurrent('a rolling upgrade', () => {
  test('takes no lifecycle along before the newer build is promoted, and then all of them at their next task', async () => {
    const installation = new Installation();
    await installation.start('older');
    await installation.promote('older');
    const [one, two] = [await installation.enrol(), await installation.enrol()];
    await installation.start('newer');
    for (let times = 0; times < 3; times += 1) {
      expect(await lookAgain(one)).toMatchObject({ failures: 0, hasMarker: false });
    }
    await installation.promote('newer');
    // Both builds still run: a lifecycle in the newer one never comes back to the older one.
    for (let times = 0; times < 5; times += 1) {
      expect(await lookAgain(one)).toMatchObject({ failures: 0, hasMarker: true });
      expect(await lookAgain(two)).toMatchObject({ failures: 0, hasMarker: true });
    }
  });
});

describe.concurrent('the way back', () => {
  test('is open for every lifecycle if DORMOUSE_ROLLBACK_TO was set for the newer build', async () => {
    const installation = new Installation();
    await installation.start('newer', '0.1.0');
    await installation.promote('newer');
    const handle = await installation.enrol();
    expect(await lookAgain(handle)).toMatchObject({ hasMarker: false });
    await installation.start('older');
    await installation.promote('older');
    for (let times = 0; times < 3; times += 1) {
      expect(await lookAgain(handle)).toMatchObject({ failures: 0, hasMarker: false });
    }
  });

  test('leaves a lifecycle that began a newer change without an act until the newer build is back', async () => {
    const installation = new Installation();
    await installation.start('newer');
    await installation.promote('newer');
    const begun = await installation.enrol();
    expect(await read(begun)).toMatchObject({ hasMarker: true });
    await installation.start('older');
    await installation.promote('older');
    const fresh = await installation.enrol();
    const before = await read(begun);
    await begun.signal(lookAgainSignal, { schemaVersion: 1 });
    const stuck = await until('the older build can not replay it', async () => {
      const now = await read(begun);
      return now.failures > 0 ? now : undefined;
    });
    expect(stuck.looks).toBe(before.looks);
    // A lifecycle that met no newer change is not held up by it.
    expect(await lookAgain(fresh)).toMatchObject({ failures: 0, hasMarker: false });
    await installation.promote('newer');
    await until('the look that was asked for', async () => (await read(begun)).looks === before.looks + 1);
  });
});

describe.concurrent('a worker that starts', () => {
  test('does not undo another worker’s decision since its look', async () => {
    const installation = new Installation();
    const { taskQueue } = installation;
    const client = live.client;
    const [older, newer] = [await installation.start('older'), await installation.start('newer')];
    const seen = await until('Temporal knows both', async () => {
      const deployment = await readDeployment(client, taskQueue);
      return deployment.builds.length === 2 ? deployment : undefined;
    });
    await installation.promote('newer');
    await expect(promote(client, taskQueue, older, seen.conflictToken)).rejects.toThrow();
    expect((await readBuilds(client, taskQueue)).find(({ isCurrent }) => isCurrent)?.buildId).toBe(newer);
  });

  test('makes its build current if none is, and leaves an operator’s way back alone', async () => {
    const installation = new Installation();
    const { taskQueue } = installation;
    const client = live.client;
    const older = await installation.start('older');
    expect(await promoteAtStart({ client, taskQueue, buildId: older })).toBe(older);
    const newer = await installation.start('newer');
    expect(await promoteAtStart({ client, taskQueue, buildId: newer })).toBe(newer);
    const environment = { ...inject('environment'), DORMOUSE_TASK_QUEUE: taskQueue };
    const back = await typed(environment, ['workers', 'promote', older]);
    expect(back).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`${older} is the current build`),
    });
    expect(await promoteAtStart({ client, taskQueue, buildId: newer })).toBe(older);
    const list = await typed(environment, ['workers', 'list']);
    expect(list.stdout.split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^${newer}  -  `)),
      expect.stringMatching(new RegExp(`^${older}  current  `)),
    ]);
    const unknown = await typed(environment, ['workers', 'promote', '0.1.0-000000000000']);
    expect(unknown).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Start its workers first'),
    });
  });
});
