/** The cache of built servers, between runs and projects. Node only. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface CacheLocation {
  cacheDirectory: string | undefined;
  xdgCacheHome: string | undefined;
}

/** `DORMOUSE_CACHE_DIR`, else `dormouse` in the user's cache directory. */
export function cacheRoot(location: CacheLocation): string {
  if (location.cacheDirectory) return resolve(location.cacheDirectory);
  return join(location.xdgCacheHome ? resolve(location.xdgCacheHome) : join(homedir(), '.cache'), 'dormouse');
}

/**
 * The folder of one build. A change to the source, the flags or the machine gives another folder.
 * @param files whose contents determine the build.
 */
export async function cacheFolder(
  root: string,
  name: string,
  files: readonly string[],
  how: readonly string[],
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file)).update('\0');
  for (const part of how) hash.update(part).update('\0');
  hash.update(`${process.platform}-${process.arch}`);
  return join(root, `${name}-${hash.digest('hex').slice(0, 16)}`);
}
