/** The packed packages, packed once for each state of the sources: of a start of an example or of a run of tests, whoever comes first. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { projectDirectory } from '../../dev/stack/project.js';
import { type Packed, packClient } from './pack.js';
import { packBrowser } from './pack-browser.js';

const kept = join(projectDirectory, 'node_modules', '.cache', 'dormouse-packages');
/** What the packages are made of. */
const sources = [
  'src',
  'packages',
  'tools/packages',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'LICENSE',
];
const needsFile = 'needs.json';
/** Packed longer ago: of sources that have changed since. */
const forgottenAfterMs = 86_400_000;

export interface PackedPackages {
  readonly client: Packed;
  /** The tarball. */
  readonly browser: string;
}

/** Packs what is published, where these sources were not packed yet. */
export async function packedPackages(): Promise<PackedPackages> {
  const directory = join(kept, await hashOfSources());
  return (await found(directory)) ?? (await pack(directory));
}

async function pack(directory: string): Promise<PackedPackages> {
  await mkdir(kept, { recursive: true });
  for (const name of await readdir(kept)) {
    const path = join(kept, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > forgottenAfterMs) await rm(path, { recursive: true, force: true });
  }
  const work = await mkdtemp(join(kept, 'packing-'));
  const [client] = await Promise.all([packClient(work), packBrowser(work)]);
  await writeFile(join(work, needsFile), JSON.stringify(client.needs));
  // In one step. Another process may have packed the same meanwhile: the first one stays.
  await rename(work, directory).catch(() => rm(work, { recursive: true }));
  const packed = await found(directory);
  if (packed === undefined) throw new Error(`${directory}: the packages are not there`);
  return packed;
}

async function found(directory: string): Promise<PackedPackages | undefined> {
  const names = await readdir(directory).catch(() => []);
  const tarball = (name: string) => names.find((file) => file.startsWith(name) && file.endsWith('.tgz'));
  const [client, browser] = [tarball('dormouse-client-'), tarball('dormouse-browser-')];
  if (client === undefined || browser === undefined) return undefined;
  const needs: Packed['needs'] = JSON.parse(await readFile(join(directory, needsFile), 'utf8'));
  return { client: { tarball: join(directory, client), needs }, browser: join(directory, browser) };
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(projectDirectory, source);
    const below = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const files = below
      ?.filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)) ?? [path];
    for (const file of files.filter((name) => !basename(name).endsWith('.tgz')).sort()) {
      hash
        .update(`${file.slice(projectDirectory.length)}\0`)
        .update(await readFile(file))
        .update('\0');
    }
  }
  return hash.digest('hex').slice(0, 16);
}
