/** A copy of the checkout in which code may be broken. Node and git only. */
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { projectDirectory } from '../../dev/stack/project.js';
import type { Guard } from './guard.js';
import { marksIn } from './marks.js';
import { takeOut } from './take-out.js';

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

  /** Runs `work` while the guard is out of the file that has its mark. @throws Error when it can't be taken out */
  async without<T>({ name, takenOut }: Guard, file: string, work: () => Promise<T>): Promise<T> {
    const path = join(this.directory, file);
    const whole = await readFile(path, 'utf8');
    const mark = marksIn(file, whole).find((candidate) => candidate.name === name);
    if (mark === undefined) throw new Error(`${file}: the mark "guard: ${name}" is no longer there`);
    await writeFile(path, takeOut(mark, whole, takenOut));
    try {
      return await work();
    } finally {
      await writeFile(path, whole);
    }
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
