/**
 * The time-skipping test server, where the SDK's own download is not to be had: fetched by Maven, kept in Dormouse's
 * cache, run by Java.
 */
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { withBuildLock } from '../../dev/stack/binaries/build-lock.js';
import { cacheFolder, cacheRoot } from '../../dev/stack/binaries/cache.js';
import { findOnPath } from '../../dev/stack/binaries/resolve-binary.js';
import { readStackEnvironment } from '../../dev/stack/environment.js';
import {
  isExecutableFile,
  lastLinesOf,
  temporaryNameFor,
  writeFileAtomically,
} from '../../dev/stack/files.js';
import { createProgress } from '../../dev/stack/progress.js';
import { projectDirectory } from '../../dev/stack/project.js';

/** For `TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })`. */
export interface ExistingServer {
  type: 'existing-path';
  path: string;
}

const pom = join(projectDirectory, 'tools', 'temporal-test-server', 'pom.xml');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const fetchTimeoutMs = 600_000;
const executable = 0o755;

/**
 * Each file of tests starts a server of its own, for seconds: the optimising compiler costs more than it gains. The folder is renamed when
 * it is complete, so the script finds its libraries by its own place.
 */
const script = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

/**
 * The test server as a program; fetched at the first call, which takes about a minute.
 * @returns `undefined` without Java, or where it is neither cached nor can Maven fetch it: the SDK then downloads its own.
 */
export async function resolveTimeSkippingServer(
  environment = readStackEnvironment(),
): Promise<ExistingServer | undefined> {
  const [java] = await findOnPath('java', environment.path);
  if (java === undefined) return undefined;
  const folder = await cacheFolder(cacheRoot(environment), 'temporal-test-server', [pom], [copyDependencies]);
  const cached = await serverIn(folder);
  if (cached !== undefined) return cached;
  const [maven] = await findOnPath('mvn', environment.path);
  if (maven === undefined) return undefined;
  const progress = createProgress((line) => console.error(line));
  await mkdir(dirname(folder), { recursive: true });
  return withBuildLock(`${folder}.lock`, 'Temporal test server', progress, undefined, async () => {
    const meanwhile = await serverIn(folder);
    if (meanwhile !== undefined) return meanwhile;
    return (await fetchServer(maven, folder)) ? serverIn(folder) : undefined;
  });
}

/** @returns `undefined` where it was not fetched. An earlier release of this file may have written another script: it is replaced. */
async function serverIn(folder: string): Promise<ExistingServer | undefined> {
  const path = join(folder, 'run');
  if (!(await isExecutableFile(path))) return undefined;
  if ((await readFile(path, 'utf8')) !== script) await writeFileAtomically(path, script, executable);
  return { type: 'existing-path', path };
}

/** @returns whether it worked; if not, the reason is on stderr. */
async function fetchServer(maven: string, folder: string): Promise<boolean> {
  const draft = temporaryNameFor(folder);
  try {
    const library = join(draft, 'lib');
    const result = await execa(
      maven,
      ['-B', '-q', '-f', pom, copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${library}`],
      { reject: false, all: true, stdin: 'ignore', timeout: fetchTimeoutMs },
    );
    if (result.exitCode !== 0) {
      const output = lastLinesOf(result.all ?? '', 15).join('\n');
      console.error(`Maven could not fetch the Temporal test server: ${result.shortMessage}\n${output}`);
      return false;
    }
    await writeFileAtomically(join(draft, 'run'), script, executable);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    return true;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
