/** Holds the session during operations of the page: one beat for all of them. */
import { longestWaitMs, type PageClock } from './clock.js';
import type { IdleSession } from './idle-options.js';

export interface HoldParts {
  readonly clock: PageClock;
  /** Ends the beats. */
  readonly signal: AbortSignal;
  /** @returns whether the policy allows no more */
  readonly beat: () => Promise<boolean>;
  /** Milliseconds between two beats; `undefined`: not known. */
  readonly everyMs: () => number | undefined;
  readonly release: () => Promise<unknown>;
}

/** Calls for the lease follow each other: a release never overtakes the next beat. */
export function holdsOf({ clock, signal, beat, everyMs, release }: HoldParts): IdleSession['hold'] {
  let holds = 0;
  let cancel = () => {};
  let calls: Promise<unknown> = Promise.resolve();
  const beatOn = () => {
    calls = calls.then(async () => {
      if (holds === 0 || signal.aborted || (await beat())) return;
      cancel();
      cancel = clock.after(everyMs() ?? longestWaitMs, beatOn);
    });
  };
  const end = () => {
    calls = calls.then(async () => {
      if (holds > 0 || signal.aborted) return;
      cancel();
      await release();
    });
  };
  return async (work) => {
    holds += 1;
    if (holds === 1) beatOn();
    try {
      return await (typeof work === 'function' ? work() : work);
    } finally {
      holds -= 1;
      if (holds === 0) end();
    }
  };
}
