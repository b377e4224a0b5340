/**
 * How the stack reports its progress: lines, and a status that changes in place where the output supports it.
 */

/** How often a status becomes a line where it can't change in place. */
const lineEveryMs = 15_000;

export interface Progress {
  line(text: string): void;
  /** What a long step is doing now; `''` ends it. */
  status(text: string): void;
}

/** @param status shows a status in place; without it a line appears every 15 seconds. */
export function createProgress(report?: (line: string) => void, status?: (text: string) => void): Progress {
  let shownAt = 0;
  return {
    line: (text) => report?.(text),
    status(text) {
      if (status !== undefined) {
        status(text);
        return;
      }
      if (text === '' || Date.now() - shownAt < lineEveryMs) return;
      shownAt = Date.now();
      report?.(text);
    },
  };
}
