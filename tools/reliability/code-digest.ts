/** Names the code that a measurement is of, so that one that was interrupted continues only on the same code. Node only. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDirectory } from '../../dev/stack/project.js';

/** What the engine is, and what the harness does. */
const measured = ['src', 'test/faults', 'test/support'] as const;

/** @returns twelve characters */
export async function codeDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of measured) {
    const names = await readdir(join(projectDirectory, folder), { recursive: true });
    for (const name of names.filter((one) => /\.(ts|sql|hbs|html|txt)$/.test(one)).sort()) {
      hash.update(`${folder}/${name}\n`).update(await readFile(join(projectDirectory, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
