/** The packed client, as an app installs it. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import type { Packed } from '../../tools/packages/pack.js';
import { packedPackages } from '../../tools/packages/packed.js';

let directory: string;
let app: string;
let packed: Packed;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dormouse-client-'));
  packed = (await packedPackages()).client;
  app = join(directory, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  await execa('npm', ['install', '--offline', '--no-audit', '--no-fund', packed.tarball], { cwd: app });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesBelow(path: string): Promise<number> {
  const sizes = (await filesBelow(path)).map(async (file) => (await stat(file)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

it('an empty project that installs it gets one package, of less than 0.75 megabytes', async () => {
  const { packages } = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'));
  expect(Object.keys(packages).filter((path) => path !== '')).toEqual(['node_modules/@dormouse/client']);
  const bytes = await bytesBelow(join(app, 'node_modules'));
  console.log(`installed: 1 package, ${Math.round(bytes / 1_000)} kB`);
  expect(bytes).toBeLessThan(750_000);
});

it('the entry for apps needs no other package, and runs', async () => {
  expect(packed.needs['.']).toEqual([]);
  const code = `
    import { createDormouse, InvalidIdentityIdError } from '@dormouse/client';
    const dormouse = createDormouse({ gateway: { url: 'http://127.0.0.1:9', token: 'x'.repeat(32) }, whenUnavailable: 'drop' });
    const outcome = await dormouse.recordActivity('1f0e6b1c-7f5d-4c1e-9d5e-000000000001');
    try { dormouse.noteActivity('jo@example.com'); } catch (error) { console.log(outcome, error instanceof InvalidIdentityIdError); }
    await dormouse.close();`;
  await writeFile(join(app, 'run.js'), code);
  const { stdout } = await execa(process.execPath, ['run.js'], { cwd: app });
  expect(stdout).toBe('dropped true');
});

it('it has code and types, and no call that only the gateway needs', async () => {
  const dist = join(app, 'node_modules', '@dormouse', 'client', 'dist');
  const files = await filesBelow(dist);
  expect(files.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([]);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  expect(texts.length).toBeGreaterThan(100);
  for (const call of ['reactivateByLink', 'requestReactivationLink(', 'noteBounce']) {
    expect(files.filter((_, index) => texts[index]?.includes(call))).toEqual([]);
  }
});

it('the entry for metrics, whose documentation names prom-client, needs no other package', () => {
  expect(packed.needs['./metrics']).toEqual([]);
});

it('the entry for refresh tokens needs no client of Ory', () => {
  expect(packed.needs['./refresh-tokens']).toEqual(['ms', 'pg', 'yaml', 'zod']);
});

it.each([
  ['NodeNext', 'NodeNext'],
  ['ESNext', 'Bundler'],
])('its types are whole under module %s and resolution %s', async (module, moduleResolution) => {
  const code = `
    import { createDormouse, type Standing } from '@dormouse/client';
    const dormouse = createDormouse({ gateway: { url: 'https://dormouse.example', token: 'x' } });
    export const standing: Standing | undefined = await dormouse.standing('x');
    export const stage: 'active' | 'warned' | 'suspended' | 'revoked' | 'deactivated' | 'deleted' | undefined = standing?.stage;
    // @ts-expect-error: there is no such stage
    export const wrong: 'sleeping' | undefined = standing?.stage;`;
  await writeFile(join(app, 'types.ts'), code);
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2023'], types: [] },
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

it('publint finds nothing wrong', async () => {
  const { messages } = await publint({
    pkgDir: join(app, 'node_modules', '@dormouse', 'client'),
    strict: true,
    pack: false,
  });
  expect(messages).toEqual([]);
});

it('attw finds no type that leads nowhere', async () => {
  const { all, exitCode } = await execa('attw', [packed.tarball, '--profile', 'esm-only', '--no-color'], {
    cwd: projectDirectory,
    preferLocal: true,
    all: true,
    reject: false,
  });
  const found = all.match(/node16 \(from ESM\): 🟢|bundler: 🟢/g) ?? [];
  expect({ exitCode, found: found.length, all }).toMatchObject({
    exitCode: 0,
    found: 2 * Object.keys(packed.needs).length,
  });
});
