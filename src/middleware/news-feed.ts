/**
 * Hears of what other instances changed: at once by PostgreSQL's notifications, and by reading again every while, because a
 * notification can be lost with its connection.
 */
import { Listener } from '../postgres/listener.js';
import type { DatabaseClock } from './database-clock.js';

export interface NewsFeedOptions {
  readonly postgresUrl: string;
  /** Whose notifications are listened to. */
  readonly channel: string;
  readonly clock: DatabaseClock;
  /** Between two readings, milliseconds. */
  readonly pollMs: number;
  /**
   * Reads what changed since a moment of the database's clock, and takes it in. `undefined`: nothing is asked but the clock.
   * @returns the database's clock, epoch milliseconds
   */
  readonly read: (since: number | undefined) => Promise<number>;
  /** Takes a notification in. */
  readonly hear: (payload: string) => void;
  /** Runs with each reading. */
  readonly alongside: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** A transaction can commit after a reading whose time is later than its own. No statement of ours takes longer. */
const overlapMs = 30_000;

export class NewsFeed {
  private readonly listener: Listener;
  private timer: NodeJS.Timeout | undefined;
  private newestAt: number | undefined;
  private syncedAt = Number.NEGATIVE_INFINITY;
  private polling: Promise<void> | undefined;
  private isClosed = false;

  constructor(private readonly options: NewsFeedOptions) {
    const { postgresUrl, channel, hear, onError } = options;
    this.listener = new Listener({ url: postgresUrl, channel, onPayload: hear, onError });
  }

  start(): void {
    void this.poll();
    void this.listener.start();
  }

  /** How old what is known is, milliseconds. */
  ageMs(): number {
    return performance.now() - this.syncedAt;
  }

  /** Reads what is new. Never throws; two at once are one. */
  poll(): Promise<void> {
    this.polling ??= this.read().finally(() => {
      this.polling = undefined;
      if (this.isClosed) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.poll(), this.options.pollMs).unref();
    });
    return this.polling;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.polling;
    this.listener.close();
  }

  private async read(): Promise<void> {
    const { clock, read, onError, alongside } = this.options;
    const askedAt = performance.now();
    try {
      const now = await read(this.newestAt === undefined ? undefined : this.newestAt - overlapMs);
      clock.set(now, askedAt);
      this.newestAt = now;
      this.syncedAt = askedAt;
    } catch (error) {
      onError(error);
      // A server that is silent sends no notification either, and the connection would not tell.
      this.listener.renew();
    }
    await alongside().catch(onError);
  }
}
