/**
 * Worker deployment versioning (Temporal): each build is a version of one deployment, and only the current
 * version gets the tasks of lifecycles, so that two builds side by side never share one history.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import type { WorkerDeploymentOptions, WorkerOptions } from '@temporalio/worker';
import { given } from '../domain/given.js';
import { compareReleases, release } from '../process/release.js';

/** A build of the workers, as Temporal reports it. */
export interface Build {
  /** The release and the beginning of the SHA-256 of the workflows' code: `0.1.0-9f86d081884c`. */
  readonly buildId: string;
  readonly isCurrent: boolean;
  /** When it first became the current build, epoch milliseconds; absent: never. */
  readonly firstCurrentAt?: number;
  /** When it was first seen, epoch milliseconds. */
  readonly seenAt: number;
}

/** @param taskQueue the task queue of the workflows: an installation has one deployment */
export function deploymentName(taskQueue: string): string {
  return taskQueue.replace(/[^\w-]/g, '_');
}

/** @returns the same ID for the same workflow code and release, whichever machine built it */
export async function buildIdOf(bundle: NonNullable<WorkerOptions['workflowBundle']>): Promise<string> {
  const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath, 'utf8');
  return `${release}-${createHash('sha256').update(withoutSourceMap(code)).digest('hex').slice(0, 12)}`;
}

/** The source map holds paths of the machine that built it. */
function withoutSourceMap(code: string): string {
  return code.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

export function deploymentOptions(taskQueue: string, buildId: string): WorkerDeploymentOptions {
  return {
    version: { deploymentName: deploymentName(taskQueue), buildId },
    useWorkerVersioning: true,
    // A lifecycle sleeps for two years, so it can't stay with the build that it began on.
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}

/** The builds, and Temporal's token for the state in which they were read. */
export interface Deployment {
  readonly builds: Build[];
  readonly conflictToken?: Uint8Array;
}

/** @returns the builds that Temporal knows, the newest first; empty before the first worker polls */
export async function readBuilds(client: Client, taskQueue: string): Promise<Build[]> {
  return (await readDeployment(client, taskQueue)).builds;
}

/** The same with the token of their state. */
export async function readDeployment(client: Client, taskQueue: string): Promise<Deployment> {
  const deployment = deploymentName(taskQueue);
  try {
    const { workerDeploymentInfo: info, conflictToken } =
      await client.workflowService.describeWorkerDeployment({
        namespace: client.options.namespace,
        deploymentName: deployment,
      });
    const current = info?.routingConfig?.currentDeploymentVersion?.buildId;
    const builds = (info?.versionSummaries ?? []).flatMap((summary): Build[] => {
      const buildId = summary.deploymentVersion?.buildId;
      if (buildId === undefined || buildId === null) return [];
      const firstCurrentAt = millisecondsOf(summary.firstActivationTime);
      return [
        {
          buildId,
          isCurrent: buildId === current,
          seenAt: millisecondsOf(summary.createTime) ?? 0,
          ...given({ firstCurrentAt }),
        },
      ];
    });
    return { builds: builds.sort((one, other) => other.seenAt - one.seenAt), conflictToken };
  } catch (error) {
    if (isNotFound(error)) return { builds: [] };
    throw error;
  }
}

/**
 * Makes a build the current one: from now on it gets the next task of every lifecycle.
 * @param conflictToken of the state that the decision was based on; absent: any state
 * @throws where no worker of the build polls all task queues that the current one
 * polls, or the state has changed
 */
export async function promote(
  client: Client,
  taskQueue: string,
  buildId: string,
  conflictToken?: Uint8Array,
): Promise<void> {
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace: client.options.namespace,
    deploymentName: deploymentName(taskQueue),
    buildId,
    identity: client.options.identity,
    ...given({ conflictToken }),
  });
}

/**
 * Whether a build makes itself the current one as it starts. Not where an operator rolled it back
 * (it was current before and no longer is), and not where a newer release is current: an older
 * worker may be restarted at any time.
 */
export function promotesItself(buildId: string, builds: readonly Build[]): boolean {
  const current = builds.find(({ isCurrent }) => isCurrent);
  if (current === undefined) return true;
  if (current.buildId === buildId) return false;
  if (builds.find((build) => build.buildId === buildId)?.firstCurrentAt !== undefined) return false;
  return compareReleases(releaseOf(buildId), releaseOf(current.buildId)) >= 0;
}

function releaseOf(buildId: string): string {
  return buildId.split('-')[0] ?? '';
}

export interface StartOfBuild {
  readonly client: Client;
  readonly taskQueue: string;
  readonly buildId: string;
  /** How long Temporal may take to notice the new workers, milliseconds. */
  readonly withinMs?: number;
}

/**
 * Makes the build current where it {@link promotesItself}.
 * @returns the build that is current afterwards.
 * @throws where Temporal refuses for longer than `withinMs`
 */
export async function promoteAtStart({
  client,
  taskQueue,
  buildId,
  withinMs = 60_000,
}: StartOfBuild): Promise<string> {
  const until = performance.now() + withinMs;
  for (;;) {
    const { builds, conflictToken } = await readDeployment(client, taskQueue);
    const current = builds.find(({ isCurrent }) => isCurrent)?.buildId;
    const isKnown = builds.some((build) => build.buildId === buildId);
    if (current !== undefined && !promotesItself(buildId, builds)) return current;
    try {
      // Temporal knows a build after the first poll of its workers.
      if (isKnown) {
        // Of two builds that start at once, the second one decides again after the first one's change.
        await promote(client, taskQueue, buildId, conflictToken);
        return buildId;
      }
    } catch (error) {
      if (!(error instanceof Error) || performance.now() > until) throw error;
    }
    if (performance.now() > until) {
      throw new Error(`Temporal did not notice the workers of build ${buildId} within ${withinMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function millisecondsOf(
  time: { seconds?: unknown; nanos?: number | null } | null | undefined,
): number | undefined {
  return time?.seconds === undefined || time.seconds === null
    ? undefined
    : Number(time.seconds) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000);
}

/** gRPC's status NOT_FOUND. */
const notFound = 5;

/** The worker's connection and the client's throw different classes. Both carry the status. */
function isNotFound(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === notFound;
}
