/** Keeps the children of one stack: starts them, notices when one dies, stops them in order. Node only. */
import { describeDeath, describeLog, StackError } from './errors.js';
import { type Guard, startGuard } from './guard.js';
import { ChildRegister } from './leftovers.js';
import { type ChildSpecification, ManagedChild, stopOrder } from './managed-child.js';
import type { PartDied } from './types.js';
import { waitUntil } from './wait-until.js';

export interface SupervisorOptions {
  /** Where the running children are recorded for the next start. */
  registerFile: string;
  /** Removed when this process is killed. */
  temporaryDirectory?: string;
}

export class Supervisor {
  /** Resolves with the first child that ends without being stopped. */
  readonly died: Promise<PartDied>;
  private readonly children: ManagedChild[] = [];
  private readonly guard: Guard;
  private readonly register: ChildRegister;
  private reportDeath: (died: PartDied) => void = () => undefined;
  private stopping: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.guard = startGuard(options.temporaryDirectory);
    this.register = new ChildRegister(options.registerFile);
    this.died = new Promise((resolve) => {
      this.reportDeath = resolve;
    });
  }

  /** @throws StackError when the stack is being stopped. */
  async start(specification: ChildSpecification): Promise<ManagedChild> {
    if (this.stopping !== undefined) throw new StackError('The stack is stopping.');
    const child = new ManagedChild(specification);
    this.children.push(child);
    void child.exited.then((death) => {
      if (this.stopping === undefined) this.reportDeath(death);
    });
    if (child.pid !== undefined) {
      this.guard.watch(child.pid);
      await this.register.add(child.name, child.pid, specification.stopSignal ?? 'SIGTERM');
    }
    return child;
  }

  /** Stops all children, rank by rank. Resolves when the last has ended. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    for (const rank of stopOrder) {
      const ofRank = this.children.filter((child) => child.specification.rank === rank);
      await Promise.all(ofRank.map((child) => child.stop()));
    }
    await this.guard.dismiss();
  }
}

/**
 * Waits until a child is ready.
 * @param check returns true when it is ready; an error counts as "not yet".
 * @throws StackError with the end of its log when the child ends or takes too long.
 */
export async function untilReady(
  child: ManagedChild,
  check: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  let lastProblem: unknown;
  const ready = await waitUntil(
    async () => {
      if (child.death !== undefined) throw new StackError(describeDeath(child.death));
      try {
        // Another program may have answered, on a port that the child did not get. So
        // check that the child is alive.
        return (await check()) && child.death === undefined;
      } catch (error) {
        lastProblem = error;
        return false;
      }
    },
    { timeoutMs },
  );
  if (ready) return;
  throw new StackError(
    `${child.name} was not ready after ${timeoutMs / 1000} s.\n` +
      describeLog(child.lastLogLines(), child.specification.logFile),
    { cause: lastProblem },
  );
}
