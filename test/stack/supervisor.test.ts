import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Rank } from '../../dev/stack/managed-child.js';
import { Supervisor, untilReady } from '../../dev/stack/supervisor.js';
import { waitUntil } from '../../dev/stack/wait-until.js';
import { scratchDirectory } from './support/scratch.js';

async function setUp() {
  const directory = await scratchDirectory();
  const supervisor = new Supervisor({ registerFile: join(directory, 'children.json') });
  onTestFinished(() => supervisor.stop());
  const start = (name: string, rank: Rank, script: string, graceMs = 5000) =>
    supervisor.start({
      name,
      rank,
      command: '/bin/sh',
      arguments: ['-c', script],
      environment: { PATH: '/usr/bin:/bin' },
      logFile: join(directory, `${name}.log`),
      graceMs,
    });
  return { directory, supervisor, start };
}

/** Writes its end to a file and exits; it waits in the sleep. */
const polite = (name: string, file: string) =>
  `trap 'echo ${name} >> ${file}; exit 0' TERM; echo up; while :; do sleep 0.05; done`;

describe('the supervisor', () => {
  it('stops applications first and databases last', async () => {
    const { directory, supervisor, start } = await setUp();
    const ends = join(directory, 'ends');
    for (const rank of ['database', 'application', 'server'] as const) {
      const child = await start(rank, rank, polite(rank, ends));
      await untilReady(child, () => child.readLog().includes('up'));
    }
    await supervisor.stop();
    expect(await readFile(ends, 'utf8')).toBe('application\nserver\ndatabase\n');
  });

  it('kills a program that does not end in time, with its children', async () => {
    const { supervisor, start } = await setUp();
    const child = await start(
      'deaf',
      'server',
      "trap '' TERM; sleep 300 & echo up; while :; do sleep 0.05; done",
      200,
    );
    await untilReady(child, () => child.readLog().includes('up'));
    await supervisor.stop();
    expect(child.death).toMatchObject({ signal: 'SIGKILL' });
    const groupIsGone = await waitUntil(() => !groupExists(child.pid ?? 0), { timeoutMs: 5000 });
    expect(groupIsGone).toBe(true);
  });

  it('reports the child that died, how, and the end of its log; a stopped one did not die', async () => {
    const { supervisor, start } = await setUp();
    await start('well', 'server', 'while :; do sleep 0.05; done');
    await start('sick', 'server', 'seq 1 40; echo "cannot open database" >&2; exit 3');
    const died = await supervisor.died;
    expect(died).toMatchObject({ name: 'sick', exitCode: 3, signal: null });
    expect(died.lastLines.at(-1)).toBe('cannot open database');
    expect(died.lastLines).not.toContain('1');
  });

  it('reports a program that is not there, and one that is never ready', async () => {
    const { directory, supervisor, start } = await setUp();
    const missing = await supervisor.start({
      name: 'missing',
      rank: 'server',
      command: join(directory, 'nothing'),
      arguments: [],
      environment: {},
      logFile: join(directory, 'missing.log'),
    });
    await expect(untilReady(missing, () => false)).rejects.toThrow(/missing ended unexpectedly[\s\S]*ENOENT/);
    const slow = await start('slow', 'server', 'echo thinking; while :; do sleep 0.05; done');
    await untilReady(slow, () => slow.readLog().includes('thinking'));
    await expect(untilReady(slow, () => false, 100)).rejects.toThrow(/slow was not ready[\s\S]*thinking/);
  });

  it('starts nothing any more once it stops', async () => {
    const { supervisor, start } = await setUp();
    await supervisor.stop();
    await expect(start('late', 'server', 'exit 0')).rejects.toThrow(/stopping/);
  });
});

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
