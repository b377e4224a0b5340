/**
 * Years in seconds: Temporal's time-skipping server, and a clock that reads its time. Time stands still for the test (it goes at
 * its real pace) but for {@link SkippingTime.travelTo}, and it is global: one journey at a time. The server skips only while no
 * task is under way, so no activity sees time jump.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../../../src/domain/search-attributes.js';
import type { Clock } from '../../../src/process/clock.js';
import { quietLog } from '../workers.js';
import type { Time } from './time.js';

/** Numbers of `temporal.api.enums.v1.IndexedValueType`, which the client does not export by name. */
const indexedValueTypes = { Keyword: 2, Datetime: 6 } as const;

/** Real milliseconds after which a stalled journey is checked. */
const stallMs = 3_000;
/** More than that can't pass within {@link stallMs} unless time is skipped. */
const skippedAtLeastMs = 60_000;

export class SkippingTime implements Time {
  readonly clock: Clock = { now: () => this.env.currentTimeMs() };

  private constructor(private readonly env: TestWorkflowEnvironment) {}

  /** @param serverPath of the time-skipping server. Empty: the SDK downloads its own */
  static async start(serverPath: string): Promise<SkippingTime> {
    quietLog();
    const env = await startServer(serverPath);
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.entries(searchAttributes).map(([name, type]) => [name, indexedValueTypes[type]]),
      ),
    });
    return new SkippingTime(env);
  }

  get address(): string {
    return this.env.address;
  }

  get client(): Client {
    return this.env.client;
  }

  get native(): NativeConnection {
    return this.env.nativeConnection;
  }

  /**
   * Lets time run to `at`, epoch milliseconds, with all that happens meanwhile.
   * @param allRest whether no lifecycle has a task under way
   */
  async travelTo(at: number, allRest: () => Promise<boolean>): Promise<void> {
    const remainingMs = at - (await this.clock.now());
    if (remainingMs <= 0) return;
    const arrival = new AbortController();
    const travelling = this.env.sleep(remainingMs).finally(() => arrival.abort());
    await Promise.all([travelling, this.freeTime(arrival.signal, allRest)]);
  }

  close(): Promise<void> {
    return this.env.teardown();
  }

  /**
   * The skipping server holds time while a task is under way. Now and then it keeps hold for a task that has ended ("Task
   * not found when completing"), and would never skip again: that hold is given back. Only where every lifecycle rests and
   * time has gone at its real pace all the same, twice in a row; otherwise nothing is done.
   */
  private async freeTime(arrival: AbortSignal, allRest: () => Promise<boolean>): Promise<void> {
    let standstills = 0;
    let before = 0;
    while (!arrival.aborted) {
      await pause(stallMs, undefined, { signal: arrival }).catch(() => undefined);
      if (arrival.aborted) return;
      const now = await this.clock.now();
      const isStill = now - before < skippedAtLeastMs && (await allRest());
      before = now;
      standstills = isStill ? standstills + 1 : 0;
      if (standstills < 2 || arrival.aborted) continue;
      standstills = 0;
      console.warn('the time-skipping server held on to time for a task that had ended');
      await this.env.connection.testService?.unlockTimeSkipping({});
    }
  }
}

/** The SDK gives a server five seconds to start, which a busy machine may need for the JVM alone. */
async function startServer(path: string, attempts = 12): Promise<TestWorkflowEnvironment> {
  const options = path === '' ? {} : ({ server: { executable: { type: 'existing-path', path } } } as const);
  try {
    return await TestWorkflowEnvironment.createTimeSkipping(options);
  } catch (error) {
    if (attempts <= 1) throw error;
    return startServer(path, attempts - 1);
  }
}
