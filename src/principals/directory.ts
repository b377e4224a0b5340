/**
 * What a gateway knows of the credentials in the table, in memory: no request waits for a query. It hears of changes at once by
 * PostgreSQL's notifications, and reads everything again every few seconds, because a notification can be lost with its connection.
 *
 * While PostgreSQL is away, what was known counts for a bounded time, and nothing counts after it: a revoked credential is refused within
 * that bound whatever fails.
 */
import type pg from 'pg';
import { Listener } from '../postgres/listener.js';
import {
  credentialsChannel,
  type KnownCredential,
  readKnownCredentials,
  writeCredentialUses,
} from './credentials-table.js';
import { LastUses } from './last-uses.js';

export interface DirectoryOptions {
  readonly pool: pg.Pool;
  readonly postgresUrl: string;
  /** Between two readings, milliseconds. Default 5 s. */
  readonly pollMs?: number;
  /** How long what was read counts while PostgreSQL is away, milliseconds. Default 60 s. */
  readonly staleMs?: number;
  /** How often last uses are written, milliseconds. Default 2 min. */
  readonly usesMs?: number;
  readonly onError: (error: unknown) => void;
}

export type Found =
  | { readonly kind: 'live'; readonly credential: KnownCredential }
  | { readonly kind: 'ended'; readonly credential: KnownCredential }
  | { readonly kind: 'unknown' }
  /** Nothing was read for too long: nobody gets in by what may have been revoked. */
  | { readonly kind: 'unavailable' };

export class CredentialDirectory {
  private readonly listener: Listener;
  private readonly uses: LastUses;
  private readonly staleMs: number;
  private byHash: ReadonlyMap<string, KnownCredential> = new Map();
  /** Of the database's clock against the monotonic one, milliseconds. */
  private offset = 0;
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;
  private isOutdated = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly options: DirectoryOptions) {
    const { pool, postgresUrl, staleMs = 60_000, usesMs = 120_000, onError } = options;
    this.staleMs = staleMs;
    this.uses = new LastUses({ write: (uses) => writeCredentialUses(pool, uses), everyMs: usesMs, onError });
    this.listener = new Listener({
      url: postgresUrl,
      channel: credentialsChannel,
      onPayload: () => void this.refresh(),
      onError,
    });
  }

  /** Resolves once it listens and was read, or PostgreSQL was found to be away. Never throws. */
  async start(): Promise<void> {
    await this.listener.start();
    await this.refresh();
  }

  /**
   * Looks a secret up. The time that this takes depends on the hash alone, and whoever does not know the secret can't choose its hash.
   * @param hash SHA-256 of the secret, in base64url
   */
  find(hash: string): Found {
    const monotonic = performance.now();
    // guard: principals: what was known counts for a bounded time
    if (monotonic - this.readAt > this.staleMs) return { kind: 'unavailable' };
    const credential = this.byHash.get(hash);
    if (credential === undefined) return { kind: 'unknown' };
    const isEnded = credential.endsAt !== undefined && credential.endsAt <= monotonic + this.offset;
    // guard: principals: a secret that ended is refused
    return { kind: isEnded ? 'ended' : 'live', credential };
  }

  /** Notes that a secret was used. Returns at once; it is written later, together with others. */
  noteUse({ credentialId }: KnownCredential): void {
    this.uses.note(credentialId, Math.floor(performance.now() + this.offset));
  }

  /** Reads everything anew; a call during a reading makes one more follow it. Never throws. */
  async refresh(): Promise<void> {
    this.isOutdated = true;
    this.reading ??= this.readWhileOutdated().finally(() => {
      this.reading = undefined;
      if (this.isClosed) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.refresh(), this.options.pollMs ?? 5_000).unref();
    });
    await this.reading;
  }

  /** Writes last uses that wait, and stops. The pool stays open. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.listener.close();
    await this.reading;
    await this.uses.close();
  }

  private async readWhileOutdated(): Promise<void> {
    while (this.isOutdated && !this.isClosed) {
      this.isOutdated = false;
      const askedAt = performance.now();
      try {
        const { now, credentials } = await readKnownCredentials(this.options.pool);
        this.byHash = new Map(credentials.map((credential) => [credential.hash, credential]));
        this.offset = now - (askedAt + performance.now()) / 2;
        // As old as the question: what changed while it was on its way may not be in it.
        this.readAt = askedAt;
      } catch (error) {
        this.options.onError(error);
        // A server that is silent sends no notification either, and the connection would not tell.
        this.listener.renew();
      }
    }
  }
}
