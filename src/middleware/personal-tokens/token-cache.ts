/** What PostgreSQL said of tokens, for a short while, and only while ends elsewhere are heard of. Keys are SHA-256, never tokens. */
import { LRUCache } from 'lru-cache';
import type { StoredToken } from '../../tokens/personal/personal-tokens-table.js';

export class TokenCache {
  private readonly entries: LRUCache<string, StoredToken>;
  private readonly keeps: boolean;
  /** Reads under way: many requests of one token at once ask PostgreSQL once. */
  private pending = new Map<string, Promise<StoredToken | undefined>>();
  /** Changes with each piece of news: what was read before it is not kept. */
  private age = 0;

  constructor(
    { entries, cacheMs }: { readonly entries: number; readonly cacheMs: number },
    private readonly isListening: () => boolean,
  ) {
    this.entries = new LRUCache({ max: entries, ttl: cacheMs });
    // The library takes 0 for "without end".
    this.keeps = cacheMs > 0;
  }

  /** @param read asks PostgreSQL */
  async get(key: string, read: () => Promise<StoredToken | undefined>): Promise<StoredToken | undefined> {
    // guard: tokens: nothing is kept while news are not heard
    const known = this.isListening() ? this.entries.get(key) : undefined;
    if (known !== undefined) return known;
    const underWay = this.pending.get(key);
    if (underWay !== undefined) return underWay;
    const reading = this.readAndKeep(key, read);
    this.pending.set(key, reading);
    try {
      return await reading;
    } finally {
      if (this.pending.get(key) === reading) this.pending.delete(key);
    }
  }

  forgetToken(tokenId: string): void {
    this.forget((stored) => stored.tokenId === tokenId);
  }

  forgetOwner(identityId: string): void {
    this.forget((stored) => stored.identityId === identityId);
  }

  forgetAll(): void {
    this.forget(() => true);
  }

  private forget(which: (stored: StoredToken) => boolean): void {
    this.age += 1;
    // A read that began before the news must answer no request that came after it.
    this.pending = new Map();
    for (const [key, stored] of this.entries.entries()) if (which(stored)) this.entries.delete(key);
  }

  private async readAndKeep(
    key: string,
    read: () => Promise<StoredToken | undefined>,
  ): Promise<StoredToken | undefined> {
    const { age } = this;
    const wasListening = this.isListening();
    const stored = await read();
    // guard: tokens: a read from before news is not kept
    if (stored !== undefined && this.keeps && wasListening && age === this.age) this.entries.set(key, stored);
    return stored;
  }
}
