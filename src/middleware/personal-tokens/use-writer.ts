/**
 * Writes the last use of tokens beside the requests. Those of a moment go in one statement; a token is written once in its window at most,
 * and its latest use arrives by the window's end. An outage is told, keeps what waits, and fails no request.
 */
import type pg from 'pg';
import { type TokenUse, writeUses } from '../../tokens/personal/personal-tokens-table.js';

/** How long a first use waits for others of the same moment, milliseconds. */
const gatherMs = 500;
/** How long a use waits after a write failed, milliseconds. */
const againMs = 5_000;
const mostAtOnce = 1_000;

interface Waiting {
  /** Epoch milliseconds. */
  at: number;
  /** On the monotonic clock. */
  dueAt: number;
}

interface Written {
  /** Epoch milliseconds. */
  readonly at: number;
  /** On the monotonic clock. */
  readonly writtenAt: number;
}

export class UseWriter {
  private readonly waiting = new Map<string, Waiting>();
  /** What was written last of each token, the oldest write first. */
  private readonly written = new Map<string, Written>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private statements = 0;

  constructor(
    private readonly pool: pg.Pool,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Notes a use; at once, and never throws. @param windowMs the least time between two writes of one token */
  note({ tokenId, at }: TokenUse, windowMs: number): void {
    const earlier = this.waiting.get(tokenId);
    if (earlier !== undefined) {
      earlier.at = Math.max(earlier.at, at);
      return;
    }
    const now = performance.now();
    const open = (this.written.get(tokenId)?.writtenAt ?? Number.NEGATIVE_INFINITY) + windowMs;
    this.waiting.set(tokenId, { at, dueAt: Math.max(now + gatherMs, open) });
    this.timer ??= setInterval(() => this.writeDue(performance.now()), gatherMs).unref();
  }

  /** The latest use of a token that was noted here, epoch milliseconds: PostgreSQL may not have it yet. */
  latestUse(tokenId: string): number | undefined {
    return this.waiting.get(tokenId)?.at ?? this.written.get(tokenId)?.at;
  }

  /** Writes everything that waits, due or not. Never throws. */
  async flush(): Promise<void> {
    this.writeDue(Number.POSITIVE_INFINITY);
    await this.writing;
  }

  async close(): Promise<void> {
    await this.flush();
    clearInterval(this.timer);
  }

  statementCount(): number {
    return this.statements;
  }

  private writeDue(now: number): void {
    const due: TokenUse[] = [];
    for (const [tokenId, { at, dueAt }] of this.waiting) {
      if (dueAt > now) continue;
      due.push({ tokenId, at });
      this.waiting.delete(tokenId);
      this.written.delete(tokenId);
      this.written.set(tokenId, { at, writtenAt: performance.now() });
    }
    this.forgetOldest();
    for (let from = 0; from < due.length; from += mostAtOnce) {
      const batch = due.slice(from, from + mostAtOnce);
      this.writing = this.writing.then(() => this.write(batch));
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async write(uses: readonly TokenUse[]): Promise<void> {
    this.statements += 1;
    try {
      await writeUses(this.pool, uses);
    } catch (error) {
      this.onError(error);
      // Kept for another time: the uses happened.
      for (const { tokenId, at } of uses) {
        const later = this.waiting.get(tokenId);
        const dueAt = performance.now() + againMs;
        this.waiting.set(tokenId, { at: Math.max(at, later?.at ?? at), dueAt });
      }
      this.timer ??= setInterval(() => this.writeDue(performance.now()), gatherMs).unref();
    }
  }

  /** A token that is forgotten is written early, which is harmless. */
  private forgetOldest(): void {
    for (const tokenId of this.written.keys()) {
      if (this.written.size <= 10_000) return;
      this.written.delete(tokenId);
    }
  }
}
