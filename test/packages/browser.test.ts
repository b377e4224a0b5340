/** The packed browser library, as a page's project installs it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { packedPackages } from '../../tools/packages/packed.js';

let directory: string;
let app: string;
let tarball: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-browser-'));
  tarball = (await packedPackages()).browser;
  app = join(directory, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  await execa('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: app });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('an empty project that installs it gets one package', async () => {
  const { packages } = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'));
  expect(Object.keys(packages).filter((path) => path !== '')).toEqual(['node_modules/@dormouse/browser']);
});

it.each([
  ['dormouse.js', 5_000],
  ['dormouse-tokens.js', 5_500],
])('its script %s is smaller than %i bytes, compressed by gzip', async (name, limit) => {
  const script = await readFile(join(app, 'node_modules', '@dormouse', 'browser', 'dist', name));
  const bytes = gzipSync(script, { level: 9 }).length;
  console.log(`${name}: ${bytes} bytes compressed`);
  expect(bytes).toBeLessThan(limit);
});

it.each([
  ['NodeNext', 'NodeNext'],
  ['ESNext', 'Bundler'],
])('its types are whole under module %s and resolution %s', async (module, moduleResolution) => {
  const code = `
    import { startIdleSession } from '@dormouse/browser';
    import { german } from '@dormouse/browser/de';
    import { returnTarget, startAccessToken, type TokenEnd } from '@dormouse/browser/tokens';
    import { germanTokens } from '@dormouse/browser/tokens/de';
    const ended: TokenEnd[] = [];
    export const access = startAccessToken({ renewUrl: '/renew', texts: germanTokens, onEnd: (end) => ended.push(end) });
    export const back: string = returnTarget();
    // @ts-expect-error: a token is text
    access.signedIn(5);
    export const session = startIdleSession({ signInUrl: '/login', texts: german });
    export const held: Promise<number> = session.hold(async () => 1);
    // @ts-expect-error: there is no such option
    startIdleSession({ idle: 5 });`;
  await writeFile(join(app, 'types.ts'), code);
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2023', 'DOM'], types: [] },
    ...{ strict: true, noEmit: true, skipLibCheck: false },
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['types.ts'] }));
  const { all, exitCode } = await execa(
    join(projectDirectory, 'node_modules', '.bin', 'tsc'),
    ['-p', 'tsconfig.json'],
    { cwd: app, all: true, reject: false },
  );
  expect({ all, exitCode }).toEqual({ all: '', exitCode: 0 });
});

it('publint and attw find nothing wrong', async () => {
  const pkgDir = join(app, 'node_modules', '@dormouse', 'browser');
  expect((await publint({ pkgDir, strict: true, pack: false })).messages).toEqual([]);
  const options = [
    '--profile',
    'esm-only',
    '--no-color',
    '--exclude-entrypoints',
    './script',
    './tokens/script',
  ];
  const { all, exitCode } = await execa('attw', [tarball, ...options], {
    cwd: projectDirectory,
    preferLocal: true,
    all: true,
    reject: false,
  });
  // A column for each of the six entries.
  expect({ exitCode, fine: (all.match(/🟢/g) ?? []).length, all }).toMatchObject({ exitCode: 0, fine: 12 });
});
