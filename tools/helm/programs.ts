/**
 * The programs that check the Helm chart, built from tools/helm once and kept in the cache of the stack's servers: `helm` itself, and
 * `check-objects` (check-objects/main.go). Programs of PATH are not used: another helm may render and lint otherwise.
 */
import { join } from 'node:path';
import { type BuiltProgram, buildFlagsOf, buildServer } from '../../dev/stack/binaries/build.js';
import { cacheFolder, cacheRoot } from '../../dev/stack/binaries/cache.js';
import { findOnPath } from '../../dev/stack/binaries/resolve-binary.js';
import { StackError } from '../../dev/stack/errors.js';
import { isExecutableFile } from '../../dev/stack/files.js';
import type { Progress } from '../../dev/stack/progress.js';

interface ChartProgram extends BuiltProgram {
  readonly name: string;
  /** Its sources of this repository, relative to this folder. */
  readonly sources: readonly string[];
}

const helm: ChartProgram = {
  name: 'helm',
  title: 'Helm',
  package: 'helm.sh/helm/v3/cmd/helm',
  buildFlags: ['-ldflags=-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0'],
  sources: [],
};
const checkObjects: ChartProgram = {
  name: 'check-objects',
  title: "The check of Kubernetes' objects",
  package: './check-objects',
  buildFlags: ['-ldflags=-s -w'],
  sources: ['check-objects/main.go'],
};

export interface ChartPrograms {
  readonly helm: string;
  readonly checkObjects: string;
}

/** @throws StackError where a program is not in the cache and can't be built */
export async function chartPrograms(
  progress: Progress,
  environment: Record<string, string | undefined> = process.env,
): Promise<ChartPrograms> {
  // One after the other: the second finds most of its packages compiled.
  const first = await programOf(helm, progress, environment);
  return { helm: first, checkObjects: await programOf(checkObjects, progress, environment) };
}

async function programOf(
  program: ChartProgram,
  progress: Progress,
  environment: Record<string, string | undefined>,
): Promise<string> {
  const root = cacheRoot({
    cacheDirectory: environment.DORMOUSE_CACHE_DIR,
    xdgCacheHome: environment.XDG_CACHE_HOME,
  });
  const files = ['go.mod', 'go.sum', ...program.sources].map((file) => join(import.meta.dirname, file));
  const folder = await cacheFolder(root, program.name, files, [program.package, ...buildFlagsOf(program)]);
  const target = join(folder, program.name);
  if (await isExecutableFile(target)) return target;
  const [go] = await findOnPath('go', environment.PATH ?? '');
  if (go === undefined) {
    throw new StackError(
      `${program.title} is built from tools/helm, and Go is not installed (there is no "go" on PATH). Install Go 1.26 or later.`,
    );
  }
  await buildServer({
    server: program,
    target,
    go,
    moduleDirectory: import.meta.dirname,
    inherited: environment,
    progress,
  });
  return target;
}
