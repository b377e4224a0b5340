/** One check for many callers: ten thousand who ask at once cause one question, and none waits longer than the limit. */

export interface SharedOptions {
  /** How long a caller waits at most, milliseconds. */
  readonly timeoutMs: number;
  /** How long an answer is handed out again, milliseconds. */
  readonly keepMs: number;
  /** Milliseconds of a clock that never goes back. Default: the process' own. */
  readonly now?: () => number;
}

/**
 * @param work asks the outside world; never started twice at once, also where it takes longer than callers wait
 * @returns a function that answers like `work`
 * @throws Error `no answer within … ms` where it takes too long, and what `work` throws
 */
export function shared<T>(work: () => Promise<T>, options: SharedOptions): () => Promise<T> {
  const { timeoutMs, keepMs, now = () => performance.now() } = options;
  let running: Promise<T> | undefined;
  let known: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (known !== undefined && now() - known.at < keepMs) return known.answer;
    // guard: checks: many callers cause one question
    if (running === undefined) {
      const answer = work();
      // One limit for all: who asks while a check hangs beyond it fails at once.
      running = within(timeoutMs, answer);
      running.catch(() => undefined);
      const settled = () => {
        running = undefined;
        known = { at: now(), answer };
      };
      answer.then(settled, settled);
    }
    return running;
  };
}

/** @throws Error where `work` takes longer */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
