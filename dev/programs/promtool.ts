/** Finds Prometheus' promtool, and takes it out of Debian's package where a test needs it. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../stack/binaries/cache.js';
import { readStackEnvironment } from '../stack/environment.js';
import { extractProgram, findProgram } from './debian.js';

/** @returns its path. @throws Error that names the way out */
export async function ensurePromtool(): Promise<string> {
  const found = await findProgram(['promtool']);
  if (found !== undefined) return found;
  const root = cacheRoot(readStackEnvironment());
  const kept = join(root, 'promtool');
  if (await isThere(kept)) return kept;
  await mkdir(root, { recursive: true });
  if (await extractProgram('prometheus', '/usr/bin/promtool', kept)) return kept;
  throw new Error(
    'promtool is missing, and tests of alerts and metrics need it. Install it (Debian: apt-get install prometheus)',
  );
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
