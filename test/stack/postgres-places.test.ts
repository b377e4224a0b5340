import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exists } from '../../dev/stack/files.js';
import {
  closedDirectoryOnTheWay,
  findPostgresAccount,
  reachablePlaceFor,
  reachableRoot,
} from '../../dev/stack/postgres-account.js';
import { findPostgresBinaries, locateNativeDirectory } from '../../dev/stack/postgres-binaries.js';
import { endStalePostmaster } from '../../dev/stack/postgres-leftovers.js';
import { scratchDirectory } from './support/scratch.js';

const isRoot = process.getuid?.() === 0;

describe('a postmaster.pid of an earlier run', () => {
  it('is cleared without harm to the process that has its pid now', async () => {
    const directory = await scratchDirectory();
    const path = join(directory, 'postmaster.pid');
    await writeFile(path, `${process.pid}\n${directory}\n1700000000\n5433\n\n127.0.0.1\n  1 999999\nready\n`);
    await endStalePostmaster(directory);
    expect(await exists(path)).toBe(false);
  });
});

describe.runIf(isRoot)('run by root, PostgreSQL', () => {
  it('keeps its place if its user can reach it', async () => {
    const directory = await scratchDirectory();
    await chmod(directory, 0o711);
    expect(await reachablePlaceFor(join(directory, 'postgres'), await findPostgresAccount())).toBe(
      join(directory, 'postgres'),
    );
  });

  it('gets another place, always the same, below a closed directory', async () => {
    const directory = await scratchDirectory();
    const account = await findPostgresAccount();
    await mkdir(join(directory, 'clone'));
    const place = await reachablePlaceFor(join(directory, 'clone', 'postgres'), account);
    expect(dirname(place)).toBe(reachableRoot);
    expect(await reachablePlaceFor(join(directory, 'clone', 'postgres'), account)).toBe(place);
    if (account) expect(await closedDirectoryOnTheWay(join(directory, 'clone'), account)).toBe(directory);
  });

  it('runs from a copy when node_modules lies below a closed directory and npm ran no install scripts', async () => {
    const account = await findPostgresAccount();
    const installed = join(await scratchDirectory(), 'package');
    await cp(dirname(locateNativeDirectory()), installed, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(installed, 'package.json'), JSON.stringify({ version: `test-${process.pid}` }));
    const links: { target: string }[] = JSON.parse(
      await readFile(join(installed, 'native', 'pg-symlinks.json'), 'utf8'),
    );
    for (const link of links) await rm(join(installed, link.target));
    onTestFinished(() =>
      rm(join(reachableRoot, `postgres-test-${process.pid}`), { recursive: true, force: true }),
    );

    const { postgres } = await findPostgresBinaries(account, join(installed, 'native'));
    expect(postgres.startsWith(reachableRoot)).toBe(true);
    const { stdout } = await execa(postgres, ['--version'], { ...account });
    expect(stdout).toContain('(PostgreSQL) 18');
  });
});
