/**
 * Finds the program of a server: on PATH, in the cache, or by building it. (An address in the environment
 * takes precedence over all of these; this file is then not used.) Node and execa only.
 */
import { delimiter, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import { messageOf, StackError } from '../errors.js';
import { isExecutableFile } from '../files.js';
import type { Progress } from '../progress.js';
import { buildFlagsOf, buildServer } from './build.js';
import { cacheFolder } from './cache.js';
import type { PinnedServer } from './pinned-servers.js';

export interface ResolveContext {
  /** The value of PATH. */
  searchPath: string;
  /** See {@link cacheRoot}. */
  cacheRoot: string;
  /** The project's `tools/`. */
  toolsDirectory: string;
  inherited: Record<string, string | undefined>;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

export interface ResolvedBinary {
  path: string;
  from: 'PATH' | 'cache' | 'build';
}

/** @throws StackError that names every way to provide the server when none works. */
export async function resolveBinary(server: PinnedServer, context: ResolveContext): Promise<ResolvedBinary> {
  const onPath = await findUsableOnPath(server, context);
  if (onPath !== undefined) return { path: onPath, from: 'PATH' };
  const target = await cachePathOf(server, context);
  if (await isExecutableFile(target)) return { path: target, from: 'cache' };
  try {
    await build(server, target, context);
    return { path: target, from: 'build' };
  } catch (error) {
    if (context.signal?.aborted) throw error;
    throw new StackError(describeWays(server, target, messageOf(error)), { cause: error });
  }
}

/** The cache's path for this server, whether it exists or not. */
export async function cachePathOf(
  server: PinnedServer,
  context: Pick<ResolveContext, 'cacheRoot' | 'toolsDirectory'>,
): Promise<string> {
  const module = join(context.toolsDirectory, server.name);
  const files = [join(module, 'go.mod'), join(module, 'go.sum')];
  const folder = await cacheFolder(context.cacheRoot, server.name, files, [
    server.package,
    ...buildFlagsOf(server),
  ]);
  return join(folder, server.name);
}

async function findUsableOnPath(server: PinnedServer, context: ResolveContext): Promise<string | undefined> {
  for (const path of await findOnPath(server.name, context.searchPath)) {
    const version = await versionOf(server, path);
    if (version !== undefined && server.isUsable(version)) return path;
    context.progress.line(
      `${server.title}: ${path} is not used: it is ${version ?? 'of unknown version'}, and ${server.wanted} is needed.`,
    );
  }
  return undefined;
}

/**
 * All programs of that name, in the order of PATH. Relative entries are ignored: they
 * depend on the current directory.
 */
export async function findOnPath(program: string, searchPath: string): Promise<string[]> {
  const found: string[] = [];
  for (const directory of searchPath.split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const path = join(directory, program);
    if (await isExecutableFile(path)) found.push(path);
  }
  return found;
}

async function versionOf(server: PinnedServer, path: string): Promise<string | undefined> {
  const result = await execa(path, [...server.versionArguments], {
    reject: false,
    all: true,
    timeout: 15_000,
  });
  return result.all?.match(server.versionPattern)?.[1];
}

async function build(server: PinnedServer, target: string, context: ResolveContext): Promise<void> {
  const [go] = await findOnPath('go', context.searchPath);
  if (go === undefined) throw new StackError('Go is not installed (there is no "go" on PATH).');
  await buildServer({
    server,
    target,
    go,
    moduleDirectory: join(context.toolsDirectory, server.name),
    inherited: context.inherited,
    progress: context.progress,
    signal: context.signal,
  });
}

function describeWays(server: PinnedServer, target: string, problem: string): string {
  return [
    `${server.title} is not there, and building it failed:`,
    ...problem.split('\n').map((line) => `    ${line}`),
    'Any one of these helps:',
    `  - set ${server.variables.join(' and ')} to a running server`,
    `  - put ${server.wanted} on PATH, as "${server.name}"`,
    `  - put the program at ${target}`,
    `  - install Go and allow it the network, so that the server is built from tools/${server.name}`,
    '  - docker compose up, which needs none of this but a container engine',
  ].join('\n');
}
