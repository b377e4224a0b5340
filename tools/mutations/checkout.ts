/** A copy of the checkout in which code may be broken. Node and git only. */
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { projectDirectory } from '../../dev/stack/project.js';
import type { Guard } from './guard.js';

export class Checkout {
  private constructor(readonly directory: string) {}

  /** Copies every file that git knows or would add; dependencies are linked. */
  static async copy(): Promise<Checkout> {
    const directory = await mkdtemp(join(tmpdir(), 'dormouse-mutations-'));
    const { stdout } = await execa('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: projectDirectory,
    });
    const files = stdout.split('\0').filter((file) => file !== '');
    for (const folder of new Set(files.map(dirname)))
      await mkdir(join(directory, folder), { recursive: true });
    for (const file of files) await copyFile(join(projectDirectory, file), join(directory, file));
    await symlink(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
    return new Checkout(directory);
  }

  /** Runs `work` while the guard is out. @throws Error when its text is not there exactly once */
  async without<T>(guard: Guard, work: () => Promise<T>): Promise<T> {
    const file = join(this.directory, guard.file);
    const whole = await readFile(file, 'utf8');
    if (whole.split(guard.find).length !== 2) {
      throw new Error(`${guard.file}: the text of "${guard.name}" is not there once. Mend tools/mutations`);
    }
    // As a function: `$` means something in a replacement text.
    await writeFile(
      file,
      whole.replace(guard.find, () => guard.replace),
    );
    try {
      return await work();
    } finally {
      await writeFile(file, whole);
    }
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
