/** Kills a server without warning and starts the very same process again: program, arguments, environment, owner. Linux only. */
import { spawn } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { until } from '../../support/until.js';

interface Known {
  readonly pid: number;
  readonly arguments: readonly string[];
  readonly environment: Record<string, string>;
  readonly directory: string;
  readonly uid: number;
  readonly gid: number;
}

/** @returns the process that was started with all of these arguments, each exactly: another stack's must not be hit */
export async function findProcess(...words: string[]): Promise<Known> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const known = line.split('\0');
    if (words.every((word) => known.includes(word))) return readProcess(pid, line);
  }
  throw new Error(`there is no process with the arguments ${words.join(' and ')}`);
}

async function readProcess(pid: number, line: string): Promise<Known> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
  const { uid, gid } = await stat(`/proc/${pid}`);
  return {
    pid,
    arguments: line.split('\0').slice(0, -1),
    environment: Object.fromEntries(
      environment
        .split('\0')
        .filter((entry) => entry.includes('='))
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    ),
    directory: await readlink(`/proc/${pid}/cwd`),
    uid,
    gid,
  };
}

/** @returns what ends the new process */
export async function killAndRevive(known: Known, isUp: () => Promise<boolean>): Promise<() => void> {
  process.kill(known.pid, 'SIGKILL');
  // A killed server may answer for a moment longer: it would be taken for its successor.
  await until('the server is gone', async () => !(await isUp()));
  let revived = start(known);
  await until('the server is up again', async () => {
    // Where its predecessor's children still hold the data, it ends at once and is started again.
    if (revived.exitCode !== null) revived = start(known);
    return isUp();
  });
  return () => revived.kill('SIGTERM');
}

function start({ arguments: [program = '', ...rest], environment, directory, uid, gid }: Known) {
  return spawn(program, rest, {
    env: environment,
    cwd: directory,
    uid,
    gid,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
