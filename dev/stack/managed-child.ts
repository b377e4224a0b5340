/** One child process of the stack: its log file, its exit, its stop. Node only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { StackError } from './errors.js';
import { lastLinesOf } from './files.js';
import { signalProcess } from './process-identity.js';
import type { PartDied } from './types.js';

/** Parts stop in this order; parts of one rank stop together. */
export const stopOrder = ['application', 'server', 'database'] as const;
export type Rank = (typeof stopOrder)[number];

export interface ChildSpecification {
  /** The name shown to people: `Temporal`, `worker`. */
  name: string;
  rank: Rank;
  command: string;
  arguments: readonly string[];
  environment: Record<string, string>;
  logFile: string;
  workingDirectory?: string;
  /** Runs as another user, which only root can do. */
  user?: { uid: number; gid: number };
  /** The signal that asks it to end. Default: SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** How long it may take to end before it is killed. Default: 5 s. */
  graceMs?: number;
}

/** How many lines of its log are shown for a dead part. */
const reportedLines = 15;

/**
 * A started child. It leads a process group of its own, so that Ctrl-C at the terminal reaches only
 * the stack, which then ends its parts in order. It writes directly to its log file, so no pipe
 * breaks when the stack is killed.
 */
export class ManagedChild {
  readonly exited: Promise<PartDied>;
  private ended: PartDied | undefined;
  private readonly process: ChildProcess;

  constructor(readonly specification: ChildSpecification) {
    this.process = launch(specification);
    this.exited = new Promise((resolve) => {
      const end = (exitCode: number | null, signal: NodeJS.Signals | null, problem?: string) => {
        this.ended ??= this.describeEnd(exitCode, signal, problem);
        resolve(this.ended);
      };
      this.process.once('exit', (exitCode, signal) => end(exitCode, signal));
      this.process.once('error', (error) => {
        // "error" also reports a signal that could not be sent. Only a failed start has no pid.
        if (this.process.pid === undefined) end(127, null, error.message);
      });
    });
  }

  get name(): string {
    return this.specification.name;
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** How it ended, if it has ended. */
  get death(): PartDied | undefined {
    return this.ended;
  }

  /** The whole log of this run so far. */
  readLog(): string {
    try {
      return readFileSync(this.specification.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  lastLogLines(): string[] {
    return lastLinesOf(this.readLog(), reportedLines);
  }

  /** Asks it to end, kills it when it doesn't, and waits for its exit. */
  async stop(): Promise<void> {
    const pid = this.process.pid;
    if (pid === undefined) return;
    if (this.ended === undefined) signalProcess(pid, this.specification.stopSignal ?? 'SIGTERM');
    const killer = setTimeout(() => signalProcess(-pid, 'SIGKILL'), this.specification.graceMs ?? 5000);
    await this.exited;
    clearTimeout(killer);
    // Kills processes that the child started itself, too.
    signalProcess(-pid, 'SIGKILL');
  }

  private describeEnd(exitCode: number | null, signal: NodeJS.Signals | null, problem?: string): PartDied {
    const lines = this.lastLogLines();
    return {
      name: this.name,
      exitCode,
      signal,
      lastLines: problem === undefined ? lines : [...lines, problem],
      logFile: this.specification.logFile,
    };
  }
}

function launch(specification: ChildSpecification): ChildProcess {
  const log = openLog(specification.logFile);
  try {
    return spawn(specification.command, specification.arguments, {
      detached: true,
      stdio: ['ignore', log, log],
      env: specification.environment,
      cwd: specification.workingDirectory,
      ...specification.user,
    });
  } catch (error) {
    throw new StackError(`${specification.name} could not be started (${specification.command}).`, {
      cause: error,
    });
  } finally {
    closeSync(log);
  }
}

/** Starts a new log and keeps the previous one, for investigation after a crash. */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  try {
    renameSync(path, path.replace(/\.log$/, '.previous.log'));
  } catch {
    // There is no previous log at the first start.
  }
  return openSync(path, 'a', 0o600);
}
