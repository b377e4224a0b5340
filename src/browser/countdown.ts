/** Counts down to the end in the page: warns when it is near, and covers the page at zero. */
import { longestWaitMs, type PageClock } from './clock.js';
import type { Panel } from './panel.js';

/** `isAbsolute`: no answer of the person lengthens it. */
export type Deadline = readonly [leftMs: number, warnBeforeMs: number, isAbsolute: boolean];

export interface Countdown {
  tick(): void;
  /** The person closed the announcement of an end that nothing lengthens. */
  understood(): void;
}

export interface CountdownParts {
  readonly clock: PageClock;
  readonly panel: Pick<Panel<never>, 'warn' | 'hide' | 'isCover'>;
  /** `undefined`: nothing to count down to. */
  readonly deadline: () => Deadline | undefined;
  /** Nothing is left by the page's own count. The page says nothing before the server was asked. */
  readonly onZero: () => void;
}

export function startCountdown({ clock, panel, deadline, onZero }: CountdownParts): Countdown {
  let cancel = () => {};
  let isUnderstood = false;
  const tick = () => {
    cancel();
    const end = deadline();
    if (end === undefined) return;
    const [leftMs, warnBeforeMs, isAbsolute] = end;
    if (leftMs <= 0) {
      onZero();
      return;
    }
    const earlyMs = leftMs - warnBeforeMs;
    if (earlyMs > 0) isUnderstood = false;
    // A cover stays until the server answered.
    if (!panel.isCover()) {
      if (earlyMs > 0) panel.hide();
      else if (!isAbsolute || !isUnderstood) panel.warn(Math.ceil(leftMs / 1_000), isAbsolute);
    }
    cancel = clock.after(earlyMs > 0 ? Math.min(earlyMs, longestWaitMs) : leftMs % 1_000 || 1_000, tick);
  };
  return {
    tick,
    understood() {
      isUnderstood = true;
      panel.hide();
    },
  };
}
