/** Dormouse's processes as operators run them, each in a process of its own, so that a test can kill them without warning. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { projectDirectory } from '../../dev/stack/project.js';
import { compiled } from './compiled-sources.js';

export class EntryProcess {
  private child: ChildProcess | undefined;
  private output = '';

  /**
   * @param entry its source
   * @param ready the output that says it is ready
   * @param environment its `DORMOUSE_*` variables
   */
  constructor(
    private readonly entry: string,
    private readonly ready: string,
    private readonly environment: Record<string, string>,
    private readonly parameters: readonly string[] = [],
  ) {}

  /** Starts it. @returns when it is ready */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [compiled(this.entry), ...this.parameters], {
      cwd: projectDirectory,
      env: { ...process.env, ...this.environment, DORMOUSE_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.output = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        this.output += chunk.toString('utf8');
        if (this.output.includes(this.ready)) resolve();
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`${this.entry} ended (${code}):\n${this.output.slice(-3_000)}`)),
      );
    });
  }

  /** Its output since its last start. */
  get said(): string {
    return this.output;
  }

  /** SIGTERM: it finishes its work. @returns when it has exited */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** SIGKILL: no farewell to anybody. @returns when it is gone */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

export const workerProcess = (environment: Record<string, string>): EntryProcess =>
  new EntryProcess('src/worker.ts', 'worker ready', environment);

export const gatewayProcess = (environment: Record<string, string>): EntryProcess =>
  new EntryProcess('src/gateway.ts', 'gateway ready', environment);
