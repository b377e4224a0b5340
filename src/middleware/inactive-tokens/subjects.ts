/** What became of people, in memory until it is heard to have changed. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { SubjectStanding } from '../../domain/tokens/access-verdict.js';
import { readTokenStanding } from '../../tokens/token-standings.js';
import { fromPostgres } from '../unjudged.js';

export class Subjects {
  private readonly known: LRUCache<string, SubjectStanding>;
  private readonly reading = new Map<string, { isOld: boolean }>();

  constructor(
    private readonly pool: pg.Pool,
    most: number,
  ) {
    this.known = new LRUCache({ max: most });
  }

  get(identityId: string): SubjectStanding | undefined {
    return this.known.get(identityId);
  }

  /** What PostgreSQL has now. @throws UnjudgedError */
  async read(identityId: string): Promise<SubjectStanding> {
    const reading = { isOld: false };
    this.reading.set(identityId, reading);
    const standing = await fromPostgres(() => readTokenStanding(this.pool, identityId));
    if (this.reading.get(identityId) === reading) this.reading.delete(identityId);
    // Something changed while it was read: the next request reads it again.
    if (!reading.isOld) this.known.set(identityId, standing);
    return standing;
  }

  forget(identityId: string): void {
    this.known.delete(identityId);
    const reading = this.reading.get(identityId);
    if (reading !== undefined) reading.isOld = true;
  }
}
