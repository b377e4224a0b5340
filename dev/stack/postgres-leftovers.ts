/** A PostgreSQL server that outlived its stack, and its lock file. Node and execa only. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { readFileIfAny } from './files.js';
import { identifyProcess, isProcessAlive, signalProcess } from './process-identity.js';
import { waitUntil } from './wait-until.js';

const graceMs = 10_000;

/**
 * Clears `postmaster.pid`. PostgreSQL itself refuses to start when any process happens to have the pid in the
 * file. Here the process must be a server of this very directory, and is ended first. The caller holds the
 * stack's lock, so no live stack owns it.
 */
export async function endStalePostmaster(directory: string): Promise<void> {
  const path = join(directory, 'postmaster.pid');
  const lines = (await readFileIfAny(path))?.split('\n');
  if (lines === undefined) return;
  const pid = Number(lines[0]);
  if (Number.isInteger(pid) && pid > 1 && (await commandLineOf(pid)).includes(directory)) await end(pid);
  await untilSharedMemoryIsFree(lines[6]);
  await rm(path, { force: true });
}

async function end(pid: number): Promise<void> {
  const identity = await identifyProcess(pid);
  if (identity === undefined) return;
  const ended = async () => !(await isProcessAlive(identity));
  signalProcess(pid, 'SIGINT');
  if (await waitUntil(ended, { timeoutMs: graceMs })) return;
  signalProcess(pid, 'SIGKILL');
  await waitUntil(ended, { timeoutMs: graceMs });
}

async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return raw.replaceAll('\0', ' ');
  }
  const result = await execa('ps', ['-o', 'command=', '-p', String(pid)], { reject: false });
  return result.stdout;
}

/**
 * The backends of a killed server end a moment later, and a new server refuses to start before.
 * Linux shows how many are attached.
 */
async function untilSharedMemoryIsFree(line: string | undefined): Promise<void> {
  const id = line?.trim().split(/\s+/)[1];
  if (id === undefined || process.platform !== 'linux') return;
  const isFree = async () => {
    const table = await readFile('/proc/sysvipc/shm', 'utf8').catch(() => '');
    const row = table
      .split('\n')
      .map((text) => text.trim().split(/\s+/))
      .find((fields) => fields[1] === id);
    return row === undefined || row[6] === '0';
  };
  await waitUntil(isFree, { timeoutMs: graceMs });
}
