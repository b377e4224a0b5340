/** Keeps one worker at work that may die at any moment; the next one stands ready and takes over at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { projectDirectory } from '../../../dev/stack/project.js';
import { compiled } from '../../support/compiled-sources.js';
import type { WorkerSettings } from './kill-plan.js';

export class WorkerRelay {
  /** How many workers died by SIGKILL. */
  deaths = 0;
  private isOver = false;
  private readonly children = new Set<ChildProcess>();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: WorkerSettings,
    private readonly environment: Record<string, string>,
  ) {}

  start(): void {
    this.running = this.relay();
  }

  async end(): Promise<void> {
    this.isOver = true;
    for (const child of this.children) child.kill('SIGKILL');
    await this.running;
  }

  private async relay(): Promise<void> {
    let next = this.prepare();
    while (!this.isOver) {
      const child = await next;
      next = this.prepare();
      const gone = once(child, 'exit');
      child.stdin?.write('go\n');
      const [, signal] = await gone;
      if (this.isOver) break;
      if (signal !== 'SIGKILL') throw new Error(`a worker ended by itself (${child.exitCode ?? signal})`);
      this.deaths += 1;
    }
    (await next).kill('SIGKILL');
  }

  private async prepare(): Promise<ChildProcess> {
    const child = spawn(
      process.execPath,
      [compiled('test/faults/harness/killing-worker.ts'), JSON.stringify(this.settings)],
      {
        cwd: projectDirectory,
        env: { ...process.env, ...this.environment },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    child.stdin?.on('error', () => undefined);
    await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
    return child;
  }
}
