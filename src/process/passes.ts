/** Repeated work of a worker beside Temporal. */
import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';

export interface Running {
  /** Resolves when the running pass has ended. */
  stop(): Promise<void>;
}

export interface PassReports<Outcome> {
  /** Called after a pass that did something. */
  readonly onPass: (outcome: Outcome) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Runs a pass at once, and again after each pause, also after failures. A pass that
 * did nothing returns `undefined`.
 */
export function startPasses<Outcome>(
  options: PassReports<Outcome> & {
    readonly everyMs: number;
    readonly pass: () => Promise<Outcome | undefined>;
  },
): Running {
  const ended = new AbortController();
  const run = async () => {
    while (!ended.signal.aborted) {
      try {
        const outcome = await options.pass();
        if (outcome !== undefined) options.onPass(outcome);
      } catch (error) {
        options.onError(error);
      }
      await pause(options.everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop() {
      ended.abort();
      await running;
    },
  };
}

/** Calls to Temporal that a pass has under way at once. */
const callsAtOnce = 10;

/**
 * Does something to each item, some at once. One that fails keeps no other back.
 * @param work returns how many things it did
 * @returns how many things were done, and how many items failed
 */
export async function doEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<number>,
): Promise<{ done: number; failed: number }> {
  const limit = pLimit(callsAtOnce);
  const outcomes = await Promise.allSettled(items.map((item) => limit(() => work(item))));
  const done = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 0));
  return {
    done: done.reduce((sum, one) => sum + one, 0),
    failed: outcomes.filter(({ status }) => status === 'rejected').length,
  };
}

/** @returns `undefined` where every count is 0: the outcome of a pass that did nothing */
export function unlessNothing<Counts extends Readonly<Record<string, number>>>(
  counts: Counts,
): Counts | undefined {
  return Object.values(counts).some((count) => count > 0) ? counts : undefined;
}
