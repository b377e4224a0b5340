/** Repeated work of a worker beside Temporal. */
import { setTimeout as pause } from 'node:timers/promises';

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
