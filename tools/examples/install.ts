/**
 * Installs an example as a project of its own, outside of the repository: from the packed packages, and from the versions of all others
 * that the repository is locked to, so that npm finds them in its cache.
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { projectDirectory } from '../../dev/stack/project.js';
import { packedPackages } from '../packages/packed.js';

export const exampleNames = [
  'idle-sessions',
  'inactive-tokens',
  'refresh-tokens',
  'refresh-tokens-hydra',
] as const;
export type ExampleName = (typeof exampleNames)[number];

const versions = z.record(z.string(), z.string());
const manifest = z.looseObject({ name: z.string(), dependencies: versions, devDependencies: versions });
const repository = z.looseObject({
  dependencies: versions,
  devDependencies: versions,
  overrides: z.unknown(),
});
const lockFile = z.looseObject({ packages: z.record(z.string(), z.unknown()) });

/**
 * @param workspace an existing directory, which several examples may share
 * @returns where the example is
 * @throws Error where its package.json names another version than the repository's
 */
export async function installExample(name: ExampleName, workspace: string): Promise<string> {
  const directory = join(workspace, 'examples', name);
  await cp(join(projectDirectory, 'examples', name), directory, {
    recursive: true,
    filter: (path) => basename(path) !== 'node_modules',
  });
  const { client, browser } = await packedPackages();
  await mkdir(join(workspace, 'packages'), { recursive: true });
  for (const tarball of [client.tarball, browser]) {
    await cp(tarball, join(workspace, 'packages', basename(tarball)));
  }
  await lock(directory);
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await execa('npm', ['install', ...options], { cwd: directory });
  return directory;
}

/** Writes the repository's lock as the example's: npm leaves out what the example does not need. */
async function lock(directory: string): Promise<void> {
  const root = repository.parse(await read(join(projectDirectory, 'package.json')));
  const own = manifest.parse(await read(join(directory, 'package.json')));
  const { name: project, dependencies, devDependencies } = own;
  const pinned = { ...root.dependencies, ...root.devDependencies };
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (version.startsWith('file:') || version === pinned[name]) continue;
    throw new Error(
      `${project}: ${name} is ${version}; write the version of the repository's package.json, ${pinned[name]}`,
    );
  }
  const whole = lockFile.parse(await read(join(projectDirectory, 'package-lock.json')));
  const packages = { ...whole.packages, '': { name: project, dependencies, devDependencies } };
  await write(join(directory, 'package-lock.json'), { ...whole, name: project, packages });
  await write(join(directory, 'package.json'), { ...own, overrides: root.overrides });
}

const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));
const write = (file: string, value: unknown) => writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
