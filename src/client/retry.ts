/**
 * Retries of calls to Temporal that stop when the client is closed. The SDK's own retries
 * continue: one that is pending when the connection is closed throws from a timer, where no caller
 * can catch it, and ends the app.
 */
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** Longest pause between two attempts, and so the longest wait of a close. Milliseconds. */
const longestPauseMs = 500;

export class EndableRetry {
  private ended = false;
  private readonly underWay = new Set<Promise<unknown>>();

  /** For the connection's `interceptors`. */
  readonly interceptor = makeGrpcRetryInterceptor(this.options());

  private options(): ReturnType<typeof defaultGrpcRetryOptions> {
    const defaults = defaultGrpcRetryOptions();
    return {
      retryableDecider: (attempt, status) => !this.ended && defaults.retryableDecider(attempt, status),
      delayFunction: (attempt, status) => Math.min(longestPauseMs, defaults.delayFunction(attempt, status)),
    };
  }

  /** Tracks a running call. */
  track<T>(call: Promise<T>): Promise<T> {
    const settled = call.then(
      () => undefined,
      () => undefined,
    );
    this.underWay.add(settled);
    settled.then(() => this.underWay.delete(settled));
    return call;
  }

  /** Stops retrying. Resolves when no retry is pending any more: the connection may then be closed. */
  async end(): Promise<void> {
    this.ended = true;
    let timer: NodeJS.Timeout | undefined;
    const planned = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 2 * longestPauseMs);
    });
    await Promise.race([Promise.allSettled(this.underWay), planned]);
    clearTimeout(timer);
  }
}
