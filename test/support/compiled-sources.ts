/**
 * The sources as JavaScript, beside the workflow bundle: for the processes that tests start. Each starts in a fifth of the time that it
 * takes to compile them on the way, as the image does.
 */
import { cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { inject } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';

/** What the entry points of tests are made of, too. */
const sources = ['src', 'dev', 'bench/activity', 'test/support', 'test/faults/harness'];

/**
 * Files keep their places below `directory`, so that each finds its neighbours.
 * @param workflowBundle its code; workers take it as they do in the image
 */
export async function compileSources(directory: string, workflowBundle: string): Promise<void> {
  await build({
    entryPoints: sources.map((folder) => `${folder}/**/*.ts`),
    absWorkingDir: projectDirectory,
    outbase: '.',
    outdir: directory,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
  });
  // Templates and migrations.
  await cp(join(projectDirectory, 'src'), join(directory, 'src'), {
    recursive: true,
    filter: (file) => !file.endsWith('.ts'),
  });
  await writeFile(join(directory, 'src', 'workflow-bundle.js'), workflowBundle);
  await cp(join(projectDirectory, 'package.json'), join(directory, 'package.json'));
  await symlink(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
}

/** @param source a file below one of the folders of sources, such as `src/cli.ts`. @returns the path of its JavaScript */
export const compiled = (source: string): string =>
  join(inject('compiledSources'), source.replace(/\.ts$/, '.js'));
