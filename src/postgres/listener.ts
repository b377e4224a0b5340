/** Listens to one channel of PostgreSQL on a connection of its own, and on another one when that is lost. */
import { Socket } from 'node:net';
import pg from 'pg';

export interface ListenerOptions {
  readonly url: string;
  /** A plain lower-case name. */
  readonly channel: string;
  readonly onPayload: (payload: string) => void;
  /** The connection is lost: what is sent from now on is not heard. */
  readonly onLost?: () => void;
  readonly onError: (error: unknown) => void;
}

const reconnectMs = 1_000;

export class Listener {
  private socket: Socket | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private isClosed = false;
  private isHearing = false;

  constructor(private readonly options: ListenerOptions) {}

  /** Whether what is sent now will be heard, as far as is known: a silent network does not tell. */
  get isListening(): boolean {
    return this.isHearing;
  }

  /** Resolves once it listens, or could not. Never throws. */
  async start(): Promise<void> {
    if (this.isClosed) return;
    const { url, channel, onPayload, onError } = this.options;
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: 'dormouse',
      stream: () => socket,
    });
    this.socket = socket;
    client.on('notification', ({ payload = '' }) => onPayload(payload));
    client.on('error', () => undefined);
    socket.once('close', () => this.lose());
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      this.isHearing = true;
    } catch (error) {
      onError(error);
      socket.destroy();
    }
  }

  /** Drops a connection that may be dead, and opens another one. */
  renew(): void {
    this.socket?.destroy();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.reconnect);
    this.socket?.destroy();
  }

  private lose(): void {
    this.isHearing = false;
    if (this.isClosed) return;
    this.options.onLost?.();
    this.reconnect = setTimeout(() => void this.start(), reconnectMs).unref();
  }
}
