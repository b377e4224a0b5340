/** Sessions in memory: what PostgreSQL had, and presences that wait to be written. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { idleSince } from '../../domain/sessions/verdict.js';
import {
  admitSession,
  type NewSession,
  type Presence,
  readSession,
  type StoredSession,
  updateTraits,
} from '../../sessions/sessions-table.js';
import type { Deferred } from '../seen-writer.js';
import { fromPostgres } from '../unjudged.js';
import type { RequestLimits } from './request-limits.js';

/** A session in memory. */
export interface Entry {
  stored: StoredSession;
  /** When its presence was written last, on the monotonic clock. */
  writtenAt: number;
  /** The presence that PostgreSQL has, epoch milliseconds. */
  writtenPresence: number;
  /** The presence that waits to be written. */
  deferred?: Deferred<Presence>;
  /** Of the last request. */
  limits?: RequestLimits;
}

export class SessionMemory {
  private readonly entries: LRUCache<string, Entry>;

  constructor(
    private readonly pool: pg.Pool,
    most: number,
  ) {
    this.entries = new LRUCache({ max: most });
  }

  get(sessionId: string): Entry | undefined {
    return this.entries.get(sessionId);
  }

  /** The next request of the session reads it. */
  forget(sessionId: string): void {
    this.entries.delete(sessionId);
  }

  forgetPerson(identityId: string): void {
    for (const [sessionId, { stored }] of this.entries.entries()) {
      if (stored.identityId === identityId) this.entries.delete(sessionId);
    }
  }

  /**
   * From memory, or as the table has it, which gets a row for a session that it does not know.
   * @param isNew what Kratos says was asked just now, and counts where it differs
   * @throws UnjudgedError
   */
  async admit(row: NewSession, isNew: boolean): Promise<Entry> {
    const known = this.entries.get(row.sessionId);
    if (known !== undefined && !(isNew && differs(known.stored, row))) return known;
    const stored = await fromPostgres(async () => {
      const found = await admitSession(this.pool, row);
      if (found.ended !== undefined || !differs(found, row)) return found;
      await updateTraits(this.pool, row);
      return (await readSession(this.pool, row.sessionId)) ?? found;
    });
    return this.keep(stored);
  }

  /** What PostgreSQL has now. @throws UnjudgedError */
  async reread(row: NewSession): Promise<Entry> {
    const stored = await fromPostgres(() => readSession(this.pool, row.sessionId));
    if (stored !== undefined) return this.keep(stored);
    this.entries.delete(row.sessionId);
    return this.admit(row, true);
  }

  private keep(stored: StoredSession): Entry {
    const known = this.entries.get(stored.sessionId);
    if (known === undefined) {
      const entry = { stored, writtenAt: Number.NEGATIVE_INFINITY, writtenPresence: idleSince(stored) };
      this.entries.set(stored.sessionId, entry);
      return entry;
    }
    known.writtenPresence = idleSince(stored);
    known.stored = stored.ended === undefined ? merged(stored, known.stored) : stored;
    return known;
  }
}

/** What is read, with presences that wait to be written. */
function merged(read: StoredSession, known: StoredSession): StoredSession {
  const beat = Math.max(read.leaseBeatAt ?? 0, known.leaseBeatAt ?? 0);
  return {
    ...read,
    lastActiveAt: Math.max(read.lastActiveAt, known.lastActiveAt),
    ...(beat > 0 && { leaseBeatAt: beat }),
  };
}

function differs(stored: StoredSession, row: NewSession): boolean {
  return (
    row.authenticatedAt > stored.authenticatedAt ||
    row.latestAt > stored.lastActiveAt ||
    row.assurance !== stored.assurance ||
    row.devices.join() !== stored.devices.join() ||
    row.roles.join() !== stored.roles.join()
  );
}
