/**
 * Gathers signs of life in memory and flushes them in batches, so that a busy site needs one statement for
 * hundreds of requests. Knows nothing of PostgreSQL or Temporal.
 */
import type { SignKind } from '../domain/sign-of-life.js';
import type { IdentitySign } from './identity-sign.js';

export interface ActivityBufferOptions {
  /**
   * Receives a batch with at most one sign of each identity and kind. When it rejects, the
   * batch is kept for the next try.
   */
  readonly flush: (signs: readonly IdentitySign[]) => Promise<void>;
  /** The longest that a sign waits in memory, milliseconds: the most that a crash of the process may lose. */
  readonly intervalMs: number;
  /** Most signs kept. A newer sign replaces an older one of the same identity and kind, and takes no room. */
  readonly maxPending: number;
  /** Most signs in one batch. */
  readonly maxBatch: number;
  /** After each failed batch the pause before the next doubles, up to this, milliseconds. Default: it stays `intervalMs`. */
  readonly longestBackOffMs?: number;
  /** Told of each batch that failed in the background. */
  readonly onError?: (error: Error) => void;
}

export interface BufferCounters {
  readonly added: number;
  /** Replaced before the flush by a newer sign of the same identity and kind. Nothing is lost. */
  readonly superseded: number;
  /** Dropped because memory was full: the oldest first. */
  readonly dropped: number;
  readonly failedFlushes: number;
  readonly pending: number;
}

/** `order` is the number of the report that added its key: batches take the oldest first. */
type PendingSign = IdentitySign & { readonly order: number };

export class SignBuffer {
  private pending = new Map<string, PendingSign>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private counts = { added: 0, superseded: 0, dropped: 0, failedFlushes: 0 };
  private isClosed = false;
  private failuresInARow = 0;

  constructor(private readonly options: ActivityBufferOptions) {}

  /** Adds a sign of life. Never waits and never fails. */
  add(sign: IdentitySign): void {
    this.counts.added += 1;
    this.keep(sign);
    this.schedule();
  }

  /**
   * Flushes what is pending now. Resolves when everything added before is flushed; rejects when that failed.
   */
  async flush(): Promise<void> {
    const last = this.counts.added;
    // A running batch started before the caller's sign was added. With none running, the next batch starts
    // right here, so that its failure is the caller's failure.
    const earlier = this.running;
    if (earlier !== undefined) await earlier.catch(() => undefined);
    do await this.flushOnce();
    while (this.isPendingSince(last));
  }

  counters(): BufferCounters {
    return { ...this.counts, pending: this.pending.size };
  }

  /** Flushes what is left, if possible, and stops. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.flush();
  }

  private keep(sign: IdentitySign): void {
    const key = keyOf(sign.identityId, sign.kind);
    const known = this.pending.get(key);
    if (known !== undefined) {
      this.counts.superseded += 1;
      if (known.at < sign.at) this.pending.set(key, { ...sign, order: known.order });
      return;
    }
    if (this.pending.size >= this.options.maxPending) {
      const oldest = this.pending.keys().next();
      if (!oldest.done) this.pending.delete(oldest.value);
      this.counts.dropped += 1;
    }
    this.pending.set(key, { ...sign, order: this.counts.added });
  }

  private isPendingSince(last: number): boolean {
    const oldest = this.pending.values().next();
    return !oldest.done && oldest.value.order <= last;
  }

  private schedule(): void {
    if (this.timer !== undefined || this.isClosed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // More than the running batch: signs added after its start have waited long enough too.
      this.flush().then(
        () => this.pending.size > 0 && this.schedule(),
        (error: unknown) => {
          this.schedule();
          this.report(error);
        },
      );
    }, this.pauseMs());
    // A process that has nothing else to do may end; `close` hands on what is left.
    this.timer.unref();
  }

  /** An app's own mistake in its `onError` ends neither the app nor the buffer. */
  private report(error: unknown): void {
    try {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
    } catch {}
  }

  private pauseMs(): number {
    const { intervalMs, longestBackOffMs = intervalMs } = this.options;
    return Math.min(
      intervalMs * 2 ** Math.min(this.failuresInARow, 30),
      Math.max(intervalMs, longestBackOffMs),
    );
  }

  /** One batch at a time: while it is under way, the next one gathers. */
  private flushOnce(): Promise<void> {
    this.running ??= this.handOn().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async handOn(): Promise<void> {
    const batch = [...this.pending.values()].slice(0, this.options.maxBatch);
    if (batch.length === 0) return;
    for (const sign of batch) this.pending.delete(keyOf(sign.identityId, sign.kind));
    try {
      await this.options.flush(batch.map(({ order: _order, ...sign }) => sign));
      this.failuresInARow = 0;
    } catch (error) {
      this.counts.failedFlushes += 1;
      this.failuresInARow += 1;
      for (const sign of batch) this.keepAgain(sign);
      throw error;
    }
  }

  /** Keeps a sign that could not be flushed, unless a newer one was added or there is no room. */
  private keepAgain(sign: PendingSign): void {
    const key = keyOf(sign.identityId, sign.kind);
    const known = this.pending.get(key);
    if (known !== undefined) {
      this.counts.superseded += 1;
      // Reports come in any order, so a sign added meanwhile may be older.
      if (known.at < sign.at) this.pending.set(key, { ...sign, order: known.order });
    } else if (this.pending.size >= this.options.maxPending) this.counts.dropped += 1;
    else this.pending.set(key, sign);
  }
}

function keyOf(identityId: string, kind: SignKind): string {
  return `${identityId}/${kind}`;
}
