/** Last uses of tokens: in memory at once, and in PostgreSQL once a window. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import {
  admitUse,
  type Refusal,
  readUse,
  refuseToken,
  type StoredUse,
  touchUses,
} from '../../tokens/access/uses-table.js';
import { type Deferred, SeenWriter } from '../seen-writer.js';
import { fromPostgres } from '../unjudged.js';

/** A use in memory. */
export interface UseEntry {
  stored: StoredUse;
  /** When it was written last, on the monotonic clock. */
  writtenAt: number;
  /** The last use that PostgreSQL has, epoch milliseconds. */
  writtenUse: number;
  deferred?: Deferred<SeenUse>;
}

interface SeenUse {
  readonly key: string;
  readonly at: number;
}

export interface UsesOptions {
  readonly pool: pg.Pool;
  readonly most: number;
  readonly beforeWrite?: (() => Promise<void>) | undefined;
  readonly onError: (error: unknown) => void;
}

export class Uses {
  readonly writer: SeenWriter<SeenUse>;
  private readonly entries: LRUCache<string, UseEntry>;

  constructor(private readonly options: UsesOptions) {
    const { pool, most, onError } = options;
    this.entries = new LRUCache({ max: most });
    this.writer = new SeenWriter<SeenUse>({
      keyOf: ({ key }) => key,
      write: async (batch) => {
        const live = await touchUses(pool, batch);
        return ({ key }) => live.has(key);
      },
      onError,
    });
  }

  get(key: string): UseEntry | undefined {
    return this.entries.get(key);
  }

  /** From memory, or as the table has it, which gets a row for a use that it does not know. @throws UnjudgedError */
  async admit(key: string, identityId: string, startedAt: number, now: number): Promise<UseEntry> {
    const known = this.entries.get(key);
    if (known !== undefined) return known;
    const { pool } = this.options;
    return this.keep(await fromPostgres(() => admitUse(pool, { key, identityId, startedAt }, now)));
  }

  /** What PostgreSQL has now, with what waits to be written. @throws UnjudgedError */
  async reread(entry: UseEntry): Promise<UseEntry> {
    const { key } = entry.stored;
    await fromPostgres(() => this.writer.flush([key]));
    const stored = await fromPostgres(() => readUse(this.options.pool, key));
    return stored === undefined ? entry : this.keep(stored);
  }

  /** Notes a use without a write, where the window of the last one is still open. @returns whether it did */
  touchInMemory(entry: UseEntry, at: number, everyMs: number): boolean {
    const sinceWrite = performance.now() - entry.writtenAt;
    // By the clock of the tokens as well: the monotonic one does not count a sleep.
    if (sinceWrite >= everyMs || at - entry.writtenUse >= everyMs) return false;
    const { stored, deferred } = entry;
    if (at > stored.lastUsedAt) entry.stored = { ...stored, lastUsedAt: at };
    if (deferred?.isWaiting === true) deferred.at = Math.max(deferred.at, at);
    else entry.deferred = this.writer.writeLater({ key: stored.key, at }, everyMs - sinceWrite);
    return true;
  }

  /** @returns whether the use is live. @throws UnjudgedError */
  async touch(entry: UseEntry, at: number, everyMs: number): Promise<boolean> {
    if (this.touchInMemory(entry, at, everyMs)) return true;
    const { key } = entry.stored;
    await this.options.beforeWrite?.();
    if (!(await fromPostgres(() => this.writer.write({ key, at })))) return false;
    entry.stored = { ...entry.stored, lastUsedAt: Math.max(entry.stored.lastUsedAt, at) };
    entry.writtenAt = performance.now();
    entry.writtenUse = Math.max(entry.writtenUse, at);
    return true;
  }

  /** Ends the use, or only puts the refusal into the audit log. @returns whether this call did. @throws UnjudgedError */
  async refuse(refusal: Refusal, now: number): Promise<boolean> {
    if (refusal.ends !== undefined) await this.options.beforeWrite?.();
    const isDone = await fromPostgres(() => refuseToken(this.options.pool, refusal, now));
    if (isDone && refusal.ends !== undefined) this.forget(refusal.key);
    return isDone;
  }

  forget(key: string): void {
    const known = this.entries.get(key);
    // An entry that knows its end needs no other reading.
    if (known?.stored.ended === undefined) this.entries.delete(key);
  }

  private keep(stored: StoredUse): UseEntry {
    const known = this.entries.get(stored.key);
    if (known === undefined) {
      const entry = { stored, writtenAt: Number.NEGATIVE_INFINITY, writtenUse: stored.lastUsedAt };
      this.entries.set(stored.key, entry);
      return entry;
    }
    known.writtenUse = stored.lastUsedAt;
    const lastUsedAt = Math.max(stored.lastUsedAt, known.stored.lastUsedAt);
    known.stored = stored.ended === undefined ? { ...stored, lastUsedAt } : stored;
    return known;
  }
}
