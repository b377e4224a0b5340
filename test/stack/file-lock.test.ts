import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { tryLock } from '../../dev/stack/file-lock.js';
import { identifyProcess } from '../../dev/stack/process-identity.js';
import { scratchDirectory } from './support/scratch.js';

describe('a lock between processes', () => {
  it('goes to one of many processes that ask at once, and leaves nothing else behind', async () => {
    const directory = await scratchDirectory();
    const attempts = await Promise.all(Array.from({ length: 20 }, () => tryLock(join(directory, 'lock'))));
    expect(attempts.filter((attempt) => 'lock' in attempt)).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['lock']);
  });

  it('names its live holder, and is free after release', async () => {
    const path = join(await scratchDirectory(), 'lock');
    const first = await tryLock(path);
    expect(await tryLock(path)).toMatchObject({ holder: { pid: process.pid } });
    if ('lock' in first) await first.lock.release();
    expect(existsSync(path)).toBe(false);
    expect(await tryLock(path)).toHaveProperty('lock');
  });

  it('is taken from a process that is gone', async () => {
    const path = join(await scratchDirectory(), 'lock');
    const process = execa('sleep', ['60'], { reject: false });
    const holder = await identifyProcess(process.pid ?? 0);
    await writeFile(path, JSON.stringify(holder));
    expect(await tryLock(path)).toEqual({ holder });
    process.kill('SIGKILL');
    await process;
    expect(await tryLock(path)).toHaveProperty('lock');
  });

  it('is taken when another process got the pid of the holder', async () => {
    const path = join(await scratchDirectory(), 'lock');
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: 'another time' }));
    expect(await tryLock(path)).toHaveProperty('lock');
  });

  it('is taken when the file is damaged, and by one only', async () => {
    const path = join(await scratchDirectory(), 'lock');
    await writeFile(path, '{"pid":');
    const attempts = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)));
    expect(attempts.filter((attempt) => 'lock' in attempt)).toHaveLength(1);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });
});
