/**
 * Packs `@dormouse/client`: what its entries import of `dist`, and nothing else. Versions of peer dependencies are those that the
 * repository is tested with.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { transform } from 'esbuild';
import { execa } from 'execa';
import { z } from 'zod';
import { projectDirectory } from '../../dev/stack/project.js';

const manifest = z.looseObject({
  exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
});
const repository = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

export interface Packed {
  readonly tarball: string;
  /** By entry: the packages that its code imports. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
}

/** @param target an existing directory for the tarball */
export async function packClient(target: string): Promise<Packed> {
  const work = await mkdtemp(join(tmpdir(), 'dormouse-pack-'));
  try {
    const built = join(work, 'built');
    await execa('tsc', ['-p', 'tsconfig.build.json', '--outDir', built, '--sourceMap', 'false'], {
      cwd: projectDirectory,
      preferLocal: true,
    });
    const source = join(projectDirectory, 'packages', 'client');
    const own = manifest.parse(JSON.parse(await readFile(join(source, 'package.json'), 'utf8')));
    const root = repository.parse(JSON.parse(await readFile(join(projectDirectory, 'package.json'), 'utf8')));
    const out = join(work, 'package');
    const needs: Record<string, readonly string[]> = {};
    for (const [entry, { types, default: code }] of Object.entries(own.exports)) {
      const imports = new Set<string>();
      await write(out, await closure(built, withoutDist(code), '.js', imports));
      await write(out, await closure(built, withoutDist(types), '.d.ts', new Set()));
      needs[entry] = [...imports].sort();
    }
    const peers = [...new Set(Object.values(needs).flat())].sort();
    const whole = {
      ...own,
      version: root.version,
      peerDependencies: Object.fromEntries(peers.map((name) => [name, `^${versionOf(name, root)}`])),
      peerDependenciesMeta: Object.fromEntries(peers.map((name) => [name, { optional: true }])),
    };
    await writeFile(join(out, 'package.json'), `${JSON.stringify(whole, undefined, 2)}\n`);
    await cp(join(source, 'README.md'), join(out, 'README.md'));
    await cp(join(projectDirectory, 'LICENSE'), join(out, 'LICENSE'));
    const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', target], { cwd: out });
    return { tarball: join(target, stdout.trim()), needs };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const withoutDist = (path: string) => path.replace(/^\.\/dist\//, '');

function versionOf(name: string, { dependencies }: z.infer<typeof repository>): string {
  const version = dependencies[name];
  if (version === undefined)
    throw new Error(`package.json: "${name}" is no dependency, and the client needs it`);
  return version;
}

async function write(to: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, text] of files) {
    const target = join(to, 'dist', file);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}

/** Comments stay in the types, where people read them; in the code they would be a fifth of it. */
async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return file.endsWith('.js') ? (await transform(text, { legalComments: 'none' })).code : text;
}

/**
 * Every file that `entry` imports, and so on. Bare imports are added to `packages` by the name of their package.
 * @returns the text of each file
 */
async function closure(
  directory: string,
  entry: string,
  extension: '.js' | '.d.ts',
  packages: Set<string>,
): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const left = [entry];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (seen.has(file)) continue;
    const text = await read(join(directory, file));
    seen.set(file, text);
    for (const name of importsOf(text)) {
      if (name.startsWith('.')) left.push(normalize(join(dirname(file), name)).replace(/\.js$/, extension));
      else if (!name.startsWith('node:')) packages.add(packageOf(name));
    }
  }
  return seen;
}

function importsOf(code: string): string[] {
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name = '']) => name);
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
