/** Packs `@dormouse/browser`: modules with types, and one script for pages without a bundler. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { projectDirectory } from '../../dev/stack/project.js';

const source = join(projectDirectory, 'src', 'browser');

/** The library as one script that sets the global `Dormouse`. */
export const bundleScript = () => bundle('script.ts');

/** The library of access tokens as one script that sets the global `DormouseTokens`. */
export const bundleTokensScript = () => bundle('tokens-script.ts');

async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(source, entry)],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('the browser library was not bundled');
  return script.contents;
}

/** @param target an existing directory for the tarball. @returns the tarball */
export async function packBrowser(target: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'dormouse-pack-'));
  try {
    const dist = join(work, 'dist');
    await execa(
      'tsc',
      ['-p', source, '--noEmit', 'false', '--outDir', dist, '--rootDir', source, '--declaration'],
      {
        cwd: projectDirectory,
        preferLocal: true,
      },
    );
    await writeFile(join(dist, 'dormouse.js'), await bundleScript());
    await writeFile(join(dist, 'dormouse-tokens.js'), await bundleTokensScript());
    const own = join(projectDirectory, 'packages', 'browser');
    await cp(join(own, 'package.json'), join(work, 'package.json'));
    await cp(join(own, 'README.md'), join(work, 'README.md'));
    await cp(join(projectDirectory, 'LICENSE'), join(work, 'LICENSE'));
    const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', target], { cwd: work });
    return join(target, stdout.trim());
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
