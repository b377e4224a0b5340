/** Builds a pinned server from source, once for all processes that wait for it. Node and execa only. */

import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { given } from '../../../src/domain/given.js';
import { StackError } from '../errors.js';
import { isExecutableFile, temporaryNameFor } from '../files.js';
import type { Progress } from '../progress.js';
import { withBuildLock } from './build-lock.js';
import type { PinnedServer } from './pinned-servers.js';

/** What is built: a server of the stack, or another program of a pinned module. */
export type BuiltProgram = Pick<PinnedServer, 'title' | 'package' | 'buildFlags'>;

export interface BuildRequest {
  server: BuiltProgram;
  /** The folder with the go.mod that pins the server. */
  moduleDirectory: string;
  /** The `go` program. */
  go: string;
  /** The path of the built program. */
  target: string;
  inherited: Record<string, string | undefined>;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** The build flags, which are part of the cache's key. */
export function buildFlagsOf(server: BuiltProgram): string[] {
  // No VCS stamp: a failing git (ownership, or no git at all) would fail the build.
  return ['-trimpath', '-buildvcs=false', ...server.buildFlags];
}

/**
 * Builds the server unless another process just did.
 * @throws StackError with the end of the compiler's output.
 */
export async function buildServer(request: BuildRequest): Promise<void> {
  const { server, target, progress } = request;
  await mkdir(dirname(target), { recursive: true });
  await withBuildLock(`${target}.lock`, server.title, progress, request.signal, async () => {
    if (await isExecutableFile(target)) return;
    progress.line(`${server.title}: building it from source (only this once; takes a few minutes) …`);
    const startedAt = Date.now();
    const temporary = temporaryNameFor(target);
    try {
      await compile(request, temporary);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
    progress.line(`${server.title}: built in ${secondsSince(startedAt)} s: ${target}`);
  });
}

async function compile(request: BuildRequest, output: string): Promise<void> {
  const { server, progress } = request;
  const child = execa(request.go, ['build', '-v', ...buildFlagsOf(server), '-o', output, server.package], {
    cwd: request.moduleDirectory,
    env: buildEnvironment(request.inherited),
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'ignore',
    reject: false,
    ...given({ cancelSignal: request.signal }),
  });
  const doing = followOutput(child.stderr);
  const startedAt = Date.now();
  const ticker = setInterval(
    () => progress.status(`${server.title}: building, ${secondsSince(startedAt)} s: ${doing.now()}`),
    1000,
  );
  try {
    const result = await child;
    if (result.isCanceled) throw new StackError(`The build of ${server.title} was given up.`);
    if (result.exitCode === 0) return;
    throw new StackError(doing.complaints().join('\n') || result.shortMessage || 'go build failed');
  } finally {
    clearInterval(ticker);
    progress.status('');
  }
}

/** The user's Go settings (proxy, toolchain) stay. Settings that would change the result are dropped. */
function buildEnvironment(inherited: Record<string, string | undefined>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !['GOOS', 'GOARCH', 'GO111MODULE'].includes(name)) environment[name] = value;
  }
  return { ...environment, GOFLAGS: '-mod=readonly', GOWORK: 'off' };
}

/** Reads the output of `go build -v`: downloads, then a line per package, and errors. */
function followOutput(stream: NodeJS.ReadableStream) {
  let packages = 0;
  let current = 'compiling';
  const others: string[] = [];
  createInterface({ input: stream }).on('line', (line) => {
    const download = line.match(/^go: downloading (.+)$/);
    if (download !== null) current = `downloading ${download[1]}`;
    else if (/^[\w.~/-]+$/.test(line)) {
      packages += 1;
      current = `compiling ${line} (package ${packages})`;
    } else others.push(line);
  });
  return {
    now: () => current,
    complaints: () => others.filter((line) => !line.startsWith('#')).slice(-15),
  };
}

function secondsSince(startedAt: number): number {
  return Math.round((Date.now() - startedAt) / 1000);
}
