/** The examples as projects of their own: they install the packed packages, and need nothing of the repository. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { exampleNames, installExample } from '../../tools/examples/install.js';

let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'dormouse-examples-'));
});
afterAll(() => rm(workspace, { recursive: true, force: true }));

describe.each(exampleNames)('%s', (name) => {
  let directory: string;
  beforeAll(async () => {
    directory = await installExample(name, workspace);
  });

  it('has the client of the tarball, not of the sources', async () => {
    const lock = JSON.parse(await readFile(join(directory, 'package-lock.json'), 'utf8'));
    const client = lock.packages['node_modules/@dormouse/client'];
    expect(client.resolved).toBe('file:../../packages/dormouse-client-0.1.0.tgz');
    expect(client.link).toBeUndefined();
  });

  it('is whole for the compiler, with the types of the packed packages', async () => {
    const { all, exitCode } = await execa(
      join(projectDirectory, 'node_modules', '.bin', 'tsc'),
      ['-p', '.'],
      {
        cwd: directory,
        all: true,
        reject: false,
      },
    );
    expect({ all, exitCode }).toEqual({ all: '', exitCode: 0 });
  });
});
