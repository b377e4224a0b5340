/**
 * The directory that a stack lives in: takes it, cleans up after an earlier
 * stack, and releases it. Node only.
 */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type DataDirectory,
  dataDirectoryAt,
  makeDataDirectory,
  wipeDataDirectory,
} from './data-directory.js';
import { StackError } from './errors.js';
import { type FileLock, tryLock } from './file-lock.js';
import { exists } from './files.js';
import { readRunningStack } from './info-file.js';
import { endLeftovers } from './leftovers.js';
import { findPostgresAccount, reachablePlaceFor } from './postgres-account.js';
import { endStalePostmaster } from './postgres-leftovers.js';
import type { Progress } from './progress.js';
import type { StackInfo, StartStackOptions } from './types.js';

export interface StackHome {
  data: DataDirectory;
  /** Removed when the stack ends, in whatever way. */
  temporaryDirectory: string | undefined;
  /** Releases the directory for the next stack, and removes temporary files. */
  close(): Promise<void>;
}

/** @throws StackError naming the URLs and the pid of a stack that runs there already. */
export async function openStackHome(
  options: Pick<StartStackOptions, 'dataDirectory' | 'ephemeral' | 'fresh'>,
  progress: Progress,
): Promise<StackHome> {
  if (options.ephemeral) return openTemporaryHome();
  const root = resolve(options.dataDirectory);
  const data = await withReachablePostgres(dataDirectoryAt(root));
  await makeDataDirectory(data);
  const lock = await lockHome(data);
  try {
    await cleanUp(data, options.fresh === true, progress);
    await makeDataDirectory(data);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return { data, temporaryDirectory: undefined, close: () => lock.release() };
}

async function openTemporaryHome(): Promise<StackHome> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'dormouse-stack-')));
  const data = await withReachablePostgres(dataDirectoryAt(root));
  await makeDataDirectory(data);
  return {
    data,
    temporaryDirectory: root,
    async close() {
      await rm(data.postgres, { recursive: true, force: true });
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function withReachablePostgres(data: DataDirectory): Promise<DataDirectory> {
  const account = await findPostgresAccount();
  return { ...data, postgres: await reachablePlaceFor(data.postgres, account) };
}

async function lockHome(data: DataDirectory): Promise<FileLock> {
  const attempt = await tryLock(data.lockFile);
  if ('lock' in attempt) return attempt.lock;
  const info = await readRunningStack(data.root);
  throw new StackError(
    [
      `A stack is running in ${data.root} already, as process ${attempt.holder.pid}.`,
      ...(info === undefined ? ['It is still starting, or stopping.'] : describeAddresses(info)),
      'Use that one, or stop it first (Ctrl-C in its terminal).',
    ].join('\n'),
  );
}

/** The addresses for people to open, one per line. */
export function describeAddresses(info: StackInfo): string[] {
  const known = (label: string, address: string) =>
    address === '' ? [] : [`  ${label.padEnd(14)} ${address}`];
  return [
    ...known('Temporal UI', info.temporal.uiUrl),
    ...known('Mail catcher', info.mail.webUrl),
    ...known('Gateway', info.gateway.url),
    ...known('Temporal', info.temporal.address),
    ...known('Kratos', `${info.kratos.publicUrl} (admin: ${info.kratos.adminUrl})`),
    ...known('Hydra', `${info.hydra.publicUrl} (admin: ${info.hydra.adminUrl})`),
    ...known('SMTP', withoutPassword(info.mail.smtpUrl)),
    ...known('PostgreSQL', withoutPassword(info.postgres.url)),
  ];
}

function withoutPassword(address: string): string {
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  return url.href.replace('%2A%2A%2A', '***');
}

async function cleanUp(data: DataDirectory, fresh: boolean, progress: Progress): Promise<void> {
  const ended = await endLeftovers(data.registerFile);
  if (ended.length > 0) progress.line(`Ended what an earlier stack left running: ${ended.join(', ')}`);
  await endStalePostmaster(data.postgres);
  await rm(data.registerFile, { force: true });
  await rm(data.infoFile, { force: true });
  // The cluster may be outside the directory (see reachablePlaceFor) and outlive it.
  // Without its password it is useless.
  if (!(await exists(data.secretsFile))) await rm(data.postgres, { recursive: true, force: true });
  if (!fresh) return;
  await wipeDataDirectory(data);
  progress.line(`Removed the data of earlier runs in ${data.root}`);
}
