/**
 * Writes presences. Those of one moment go in one statement; those within a session's window wait for its end, so that a session is
 * written once a window at most, and every presence arrives by the window's end.
 */
import type pg from 'pg';
import { type Presence, renewSessions } from '../../sessions/sessions-table.js';

interface Waiting {
  readonly presence: Presence;
  readonly settle: (isLive: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** A presence that waits for the end of its session's window. */
export interface Deferred {
  readonly sessionId: string;
  readonly kind: Presence['kind'];
  /** The latest, epoch milliseconds. */
  at: number;
  /** On the monotonic clock, milliseconds. */
  readonly dueAt: number;
  /** Not written yet: a later presence of the same session is told here. */
  isWaiting: boolean;
}

const kinds: readonly Presence['kind'][] = ['person', 'lease'];
const mostAtOnce = 1_000;

export class PresenceWriter {
  private queue: Waiting[] = [];
  private readonly later = new Map<string, Deferred>();
  private timer: NodeJS.Timeout | undefined;
  private isScheduled = false;
  private statements = 0;

  constructor(
    private readonly pool: pg.Pool,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @returns whether the session is live by the table. @throws where PostgreSQL is away */
  write(presence: Presence): Promise<boolean> {
    const key = keyOf(presence);
    const deferred = this.later.get(key);
    if (deferred !== undefined) deferred.isWaiting = false;
    this.later.delete(key);
    return new Promise((settle, fail) => {
      this.queue.push({ presence, settle, fail });
      if (this.isScheduled) return;
      this.isScheduled = true;
      setImmediate(() => void this.drain());
    });
  }

  /** Writes it once the delay is over, with the latest of the same session. */
  writeLater({ sessionId, kind, at }: Presence, delayMs: number): Deferred {
    const key = keyOf({ sessionId, kind });
    const earlier = this.later.get(key);
    if (earlier !== undefined) {
      earlier.at = Math.max(earlier.at, at);
      return earlier;
    }
    const deferred = { sessionId, kind, at, dueAt: performance.now() + delayMs, isWaiting: true };
    this.later.set(key, deferred);
    this.timer ??= setInterval(() => this.writeDue(performance.now()), 250).unref();
    return deferred;
  }

  /** Writes what waits for one session. @throws where PostgreSQL is away */
  async flush(sessionId: string): Promise<void> {
    const owed = kinds.flatMap((kind) => this.later.get(keyOf({ sessionId, kind })) ?? []);
    await Promise.all(owed.map((deferred) => this.write(presenceOf(deferred))));
  }

  statementCount(): number {
    return this.statements;
  }

  /** Writes everything that waits. Never throws. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const owed = [...this.later.values()].map((deferred) => this.write(presenceOf(deferred)));
    await Promise.allSettled(owed);
  }

  private writeDue(now: number): void {
    for (const deferred of this.later.values()) {
      if (deferred.dueAt > now) continue;
      const presence = presenceOf(deferred);
      // Kept for another time: the presence happened.
      this.write(presence).catch(() => this.writeLater(presence, 1_000));
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
        const live = await renewSessions(
          this.pool,
          batch.map(({ presence }) => presence),
        );
        for (const { presence, settle } of batch) settle(live.has(presence.sessionId));
      } catch (error) {
        // Once, however many wait.
        this.onError(error);
        for (const { fail } of batch) fail(error);
      }
    }
  }
}

function presenceOf({ sessionId, kind, at }: Deferred): Presence {
  return { sessionId, kind, at };
}

function keyOf({ sessionId, kind }: Pick<Presence, 'sessionId' | 'kind'>): string {
  return `${kind}/${sessionId}`;
}
