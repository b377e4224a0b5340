/** A harness whose time is skipped: years in seconds. */
import { until } from '../until.js';
import { Harness } from './harness.js';
import { conditionOf, type EnrolOptions, type LifecycleHandle } from './lifecycles.js';
import type { SkippingTime } from './skipping-time.js';

/**
 * The skipping server loses a task of a run that continues as new in the instant in which it answers an update, and holds
 * time from then on. Runs that follow each other are shown on the real server (continue-as-new.test.ts, test/faults/kills).
 */
const oneRun = { historyLimit: 10_000, runAgeLimitMs: 0 } as const;

export class Journey extends Harness<SkippingTime> {
  /** Lets time run to `at`, epoch milliseconds, with all that happens meanwhile. */
  travelTo(at: number): Promise<void> {
    return this.time.travelTo(at, () => this.allRest());
  }

  /** Waits, in real time, until the lifecycle has nothing under way. */
  async rest(handle: LifecycleHandle): Promise<void> {
    await until('a lifecycle at rest', async () => (await conditionOf(handle)) !== 'busy');
  }

  override enrol(
    identityId: string,
    taskQueue: string,
    options: EnrolOptions = {},
  ): Promise<LifecycleHandle> {
    return super.enrol(identityId, taskQueue, { ...oneRun, ...options });
  }

  /**
   * Also so that they do not wake while the next test travels. Not in the middle of a task: the server would wait for its end for
   * ever, and never skip time again.
   */
  override async forgetLifecycles(): Promise<void> {
    for (const handle of this.started) await this.rest(handle);
    await super.forgetLifecycles();
  }

  private async allRest(): Promise<boolean> {
    for (const handle of this.started) {
      const condition = await conditionOf(handle);
      if (condition === 'busy') return false;
      if (condition === 'closed') this.started.delete(handle);
    }
    return true;
  }
}
