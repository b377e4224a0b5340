/**
 * Writes when something was seen last: a session, a token. What is seen in one moment goes in one statement; what is seen within the
 * window of its last write waits for the window's end, so that nothing is written more than once a window, and every sight arrives by
 * its end.
 */

/** What was seen, and when: epoch milliseconds. */
export interface Seen {
  readonly at: number;
}

/** A sight that waits for the end of its window. */
export interface Deferred<T extends Seen> {
  readonly seen: T;
  /** The latest, epoch milliseconds. */
  at: number;
  /** On the monotonic clock, milliseconds. */
  readonly dueAt: number;
  /** Not written yet: a later sight of the same is told here. */
  isWaiting: boolean;
}

export interface SeenWriterOptions<T extends Seen> {
  /** What is written together: only the latest of one key is. */
  readonly keyOf: (seen: T) => string;
  /** One statement. @returns which of them are live by the table */
  readonly write: (batch: readonly T[]) => Promise<(seen: T) => boolean>;
  /** Called once a statement that fails. */
  readonly onError: (error: unknown) => void;
}

interface Waiting<T> {
  readonly seen: T;
  readonly settle: (isLive: boolean) => void;
  readonly fail: (error: unknown) => void;
}

const mostAtOnce = 1_000;

export class SeenWriter<T extends Seen> {
  private queue: Waiting<T>[] = [];
  private readonly later = new Map<string, Deferred<T>>();
  private timer: NodeJS.Timeout | undefined;
  private isScheduled = false;
  private statements = 0;

  constructor(private readonly options: SeenWriterOptions<T>) {}

  /** @returns whether it is live by the table. @throws where PostgreSQL is away */
  write(seen: T): Promise<boolean> {
    const key = this.options.keyOf(seen);
    const deferred = this.later.get(key);
    if (deferred !== undefined) deferred.isWaiting = false;
    this.later.delete(key);
    return new Promise((settle, fail) => {
      this.queue.push({ seen, settle, fail });
      if (this.isScheduled) return;
      this.isScheduled = true;
      setImmediate(() => void this.drain());
    });
  }

  /** Writes it once the delay is over, with the latest of the same key. */
  writeLater(seen: T, delayMs: number): Deferred<T> {
    const key = this.options.keyOf(seen);
    const earlier = this.later.get(key);
    if (earlier !== undefined) {
      earlier.at = Math.max(earlier.at, seen.at);
      return earlier;
    }
    const deferred = { seen, at: seen.at, dueAt: performance.now() + delayMs, isWaiting: true };
    this.later.set(key, deferred);
    this.timer ??= setInterval(() => this.writeDue(performance.now()), 250).unref();
    return deferred;
  }

  /** Writes what waits under these keys. @throws where PostgreSQL is away */
  async flush(keys: readonly string[]): Promise<void> {
    const owed = keys.flatMap((key) => this.later.get(key) ?? []);
    await Promise.all(owed.map((deferred) => this.write(latestOf(deferred))));
  }

  statementCount(): number {
    return this.statements;
  }

  /** Writes everything that waits. Never throws. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const owed = [...this.later.values()].map((deferred) => this.write(latestOf(deferred)));
    await Promise.allSettled(owed);
  }

  private writeDue(now: number): void {
    for (const deferred of this.later.values()) {
      if (deferred.dueAt > now) continue;
      const seen = latestOf(deferred);
      // Kept for another time: it was seen.
      this.write(seen).catch(() => this.writeLater(seen, 1_000));
    }
    if (this.later.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async drain(): Promise<void> {
    this.isScheduled = false;
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0, mostAtOnce);
      try {
        this.statements += 1;
        const isLive = await this.options.write(batch.map(({ seen }) => seen));
        for (const { seen, settle } of batch) settle(isLive(seen));
      } catch (error) {
        // Once, however many wait.
        this.options.onError(error);
        for (const { fail } of batch) fail(error);
      }
    }
  }
}

function latestOf<T extends Seen>({ seen, at }: Deferred<T>): T {
  return { ...seen, at };
}
