/** The pulse of activities. That a worker without one is given up is shown in test/workflows/crash.test.ts. */

import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pulse } from '../../src/worker/pulse.js';
import { heartbeatTimeoutMs } from '../../src/workflows/queues.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Runs an activity of this length under the pulse. @returns when it beat, milliseconds from its start */
async function beatsOf(
  lengthMs: number,
  timeoutMs: number,
  end: 'done' | 'fails' = 'done',
): Promise<number[]> {
  const startedAt = Date.now();
  const beats: number[] = [];
  const env = new MockActivityEnvironment({ heartbeatTimeoutMs: timeoutMs });
  env.on('heartbeat', () => beats.push(Date.now() - startedAt));
  const running = env.run(async () => {
    const work = () =>
      new Promise<void>((resolve, reject) => {
        setTimeout(() => (end === 'done' ? resolve() : reject(new Error('no'))), lengthMs);
      });
    await pulse(Context.current()).execute?.({ args: [], headers: {} }, work);
  });
  const settled = running.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(lengthMs);
  await settled;
  await vi.advanceTimersByTimeAsync(60_000);
  return beats;
}

describe('an activity of a lifecycle', () => {
  it('beats well within its timeout for as long as it runs, and no longer', async () => {
    for (const end of ['done', 'fails'] as const) {
      const beats = await beatsOf(30_000, heartbeatTimeoutMs, end);
      expect(beats.length).toBeGreaterThan(0);
      const gaps = [...beats, 30_000].map((at, index) => at - (beats[index - 1] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(heartbeatTimeoutMs / 2);
      expect(Math.max(...beats)).toBeLessThanOrEqual(30_000);
    }
  });

  it('that is short costs no heartbeat', async () => {
    expect(await beatsOf(1_000, heartbeatTimeoutMs)).toEqual([]);
  });

  it('with heartbeats of its own is left alone: its details must not be lost', async () => {
    expect(await beatsOf(30_000, 20_000)).toEqual([]);
  });
});
