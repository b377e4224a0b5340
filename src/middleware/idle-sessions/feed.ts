/**
 * Hears of sessions that ended and choices that changed elsewhere: at once by PostgreSQL's notifications, and by reading again
 * every while, because a notification can be lost with its connection.
 */
import { Socket } from 'node:net';
import pg from 'pg';
import { readNews, sessionsChannel } from '../../sessions/sessions-table.js';
import type { DatabaseClock } from '../database-clock.js';

export interface FeedOptions {
  readonly postgresUrl: string;
  readonly pool: pg.Pool;
  readonly clock: DatabaseClock;
  readonly pollMs: number;
  readonly onEnded: (sessionId: string) => void;
  readonly onChoice: (identityId: string) => void;
  /** Runs with each poll. */
  readonly alongside: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** A transaction can commit after a poll whose time is later than its own. No statement of ours takes longer. */
const overlapMs = 30_000;
const reconnectMs = 1_000;

export class SessionFeed {
  private timer: NodeJS.Timeout | undefined;
  private listener: Socket | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private newestAt: number | undefined;
  private syncedAt = Number.NEGATIVE_INFINITY;
  private polling: Promise<void> | undefined;
  private isClosed = false;

  constructor(private readonly options: FeedOptions) {}

  start(): void {
    void this.poll();
    void this.listen();
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
    clearTimeout(this.reconnect);
    await this.polling;
    this.listener?.destroy();
  }

  private async read(): Promise<void> {
    const { pool, clock, onEnded, onChoice, onError, alongside } = this.options;
    const askedAt = performance.now();
    try {
      const since = this.newestAt === undefined ? undefined : this.newestAt - overlapMs;
      const news = await readNews(pool, since);
      clock.set(news.now, askedAt);
      for (const { sessionId } of news.ended) onEnded(sessionId);
      for (const identityId of news.choices) onChoice(identityId);
      this.newestAt = news.now;
      this.syncedAt = askedAt;
    } catch (error) {
      onError(error);
      // A server that is silent sends no notification either, and the connection would not tell.
      this.listener?.destroy();
    }
    await alongside().catch(onError);
  }

  /** Listens on a connection of its own, and on another one when that is lost. */
  private async listen(): Promise<void> {
    if (this.isClosed) return;
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.options.postgresUrl,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: 'dormouse',
      stream: () => socket,
    });
    this.listener = socket;
    client.on('notification', ({ payload = '' }) => this.hear(payload));
    client.on('error', () => undefined);
    socket.once('close', () => {
      if (this.isClosed) return;
      this.reconnect = setTimeout(() => void this.listen(), reconnectMs).unref();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${sessionsChannel}`);
    } catch (error) {
      this.options.onError(error);
      socket.destroy();
    }
  }

  private hear(payload: string): void {
    const [what, id] = payload.split('/', 2);
    if (id === undefined) return;
    if (what === 'ended') this.options.onEnded(id);
    if (what === 'choice') this.options.onChoice(id);
  }
}
