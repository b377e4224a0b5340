/** A stack in a process of its own, as a person at a terminal has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { readRunningStack, type StackInfo } from '../../../dev/stack/index.js';
import { isProcessAlive, type ProcessIdentity } from '../../../dev/stack/process-identity.js';
import { waitUntil } from '../../../dev/stack/wait-until.js';

export interface StackProcess {
  pid: number;
  output(): string;
  /** Resolves when it printed this, rejects when it ended before. */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code; `undefined` after a deadly signal. */
  ended: Promise<number | undefined>;
}

export interface Child extends ProcessIdentity {
  name: string;
}

/**
 * Starts it and does not wait; it is ended after the test.
 * @param env added to this process' own
 */
export function runStack(dataDirectory: string, mode = '', env: Record<string, string> = {}): StackProcess {
  const script = fileURLToPath(new URL('./run-stack.ts', import.meta.url));
  const child = execa(process.execPath, ['--import', 'tsx', script, dataDirectory, mode], {
    reject: false,
    all: true,
    buffer: false,
    stdin: 'ignore',
    env,
  });
  let output = '';
  let hasEnded = false;
  child.all.on('data', (chunk) => {
    output += String(chunk);
  });
  const ended = child.then((result) => {
    hasEnded = true;
    return result.exitCode;
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async printed(text) {
      const found = await waitUntil(() => output.includes(text) || hasEnded, { timeoutMs: 60_000 });
      if (!found || !output.includes(text))
        throw new Error(`The stack did not print "${text}" but:\n${output}`);
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Starts it and waits until everything is ready. */
export async function runReadyStack(
  dataDirectory: string,
): Promise<StackProcess & { info: StackInfo; children: Child[] }> {
  const stack = runStack(dataDirectory);
  await stack.printed('Everything is ready.');
  const info = await readRunningStack(dataDirectory);
  if (info === undefined) throw new Error('The stack is ready without a stack.json.');
  return { ...stack, info, children: await childrenOf(dataDirectory) };
}

/** The parts that a stack has on record. */
export async function childrenOf(dataDirectory: string): Promise<Child[]> {
  return JSON.parse(await readFile(join(dataDirectory, 'children.json'), 'utf8'));
}

/** The names of those that still run. */
export async function aliveOf(children: readonly Child[]): Promise<string[]> {
  const alive = await Promise.all(children.map(isProcessAlive));
  return children.filter((_, index) => alive[index]).map((child) => child.name);
}
