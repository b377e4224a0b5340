/** Renews sessions: in memory at once, and in PostgreSQL once a window. */

import type pg from 'pg';
import { ConfigError } from '../../config.js';
import { shortestIdle } from '../../domain/sessions/limits.js';
import type { SessionsPolicy } from '../../domain/sessions/policy.js';
import { type Presence, renewSessions, type StoredSession } from '../../sessions/sessions-table.js';
import { SeenWriter } from '../seen-writer.js';
import { fromPostgres } from '../unjudged.js';
import type { Entry } from './memory.js';
import type { GuardOptions } from './options.js';

/** Of a person who is there, or of a long operation that goes on. */
export interface Renewal {
  readonly kind: 'person' | 'lease';
  /** Epoch milliseconds. */
  readonly at: number;
}

const shareOfIdle = 10;
const leastShareOfIdle = 5;
const longestWriteEveryMs = 60_000;

export class Presences {
  private throttle: { readonly policy: SessionsPolicy; readonly ms: number } | undefined;

  constructor(
    private readonly writer: SeenWriter<Presence>,
    private readonly options: Pick<GuardOptions, 'writeEveryMs' | 'beforeWrite' | 'dormouse'>,
  ) {}

  /** For how long an instance may serve a session without a write, milliseconds. */
  writeEveryMs(policy: SessionsPolicy): number {
    if (this.throttle?.policy !== policy) this.throttle = { policy, ms: this.throttleOf(policy) };
    return this.throttle.ms;
  }

  /** Renews without a write, where the window of the session is still open. @returns whether it did */
  renewInMemory(entry: Entry, renewal: Renewal, policy: SessionsPolicy): boolean {
    const everyMs = this.writeEveryMs(policy);
    const sinceWrite = performance.now() - entry.writtenAt;
    // By the clock of the sessions as well: the monotonic one does not count a sleep.
    if (sinceWrite >= everyMs || renewal.at - entry.writtenPresence >= everyMs) return false;
    entry.stored = withPresence(entry.stored, renewal);
    const { deferred } = entry;
    if (deferred?.isWaiting === true && deferred.seen.kind === renewal.kind) {
      deferred.at = Math.max(deferred.at, renewal.at);
    } else {
      const presence = { sessionId: entry.stored.sessionId, ...renewal };
      entry.deferred = this.writer.writeLater(presence, everyMs - sinceWrite);
    }
    return true;
  }

  /** @returns whether the session is live. @throws UnjudgedError */
  async renew(entry: Entry, renewal: Renewal, policy: SessionsPolicy): Promise<boolean> {
    if (this.renewInMemory(entry, renewal, policy)) return true;
    const { identityId, sessionId } = entry.stored;
    await this.options.beforeWrite?.();
    const isLive = await fromPostgres(() => this.writer.write({ sessionId, ...renewal }));
    if (!isLive) return false;
    entry.stored = withPresence(entry.stored, renewal);
    entry.writtenAt = performance.now();
    entry.writtenPresence = Math.max(entry.writtenPresence, renewal.at);
    if (renewal.kind === 'person') {
      this.options.dormouse?.noteActivity(identityId, { at: renewal.at, kind: 'human', source: 'session' });
    }
    return true;
  }

  private throttleOf(policy: SessionsPolicy): number {
    const shortest = shortestIdle(policy) ?? Number.POSITIVE_INFINITY;
    const wanted = this.options.writeEveryMs ?? Math.min(longestWriteEveryMs, shortest / shareOfIdle);
    return Math.floor(Math.min(wanted, shortest / leastShareOfIdle, longestWriteEveryMs));
  }
}

const kinds: readonly Presence['kind'][] = ['person', 'lease'];

export function presenceWriter(pool: pg.Pool, onError: (error: unknown) => void): SeenWriter<Presence> {
  return new SeenWriter<Presence>({
    keyOf: ({ kind, sessionId }) => `${kind}/${sessionId}`,
    write: async (batch) => {
      const live = await renewSessions(pool, batch);
      return ({ sessionId }) => live.has(sessionId);
    },
    onError,
  });
}

/** Writes what waits for one session. @throws where PostgreSQL is away */
export function flushSession(writer: SeenWriter<Presence>, sessionId: string): Promise<void> {
  return writer.flush(kinds.map((kind) => `${kind}/${sessionId}`));
}

/** @throws ConfigError where presences would arrive too late */
export function checkThrottle(writeEveryMs: number | undefined, policy: SessionsPolicy): void {
  const shortest = shortestIdle(policy);
  if (writeEveryMs === undefined || shortest === undefined) return;
  if (writeEveryMs > 0 && writeEveryMs <= shortest / leastShareOfIdle) return;
  throw new ConfigError(
    `writeEveryMs is ${writeEveryMs}, and the shortest idle limit ${shortest} ms: a presence could arrive after the session ended. Write ${Math.floor(shortest / leastShareOfIdle)} at most, or leave it out`,
  );
}

function withPresence(stored: StoredSession, { at, kind }: Renewal): StoredSession {
  if (kind === 'lease') return { ...stored, leaseBeatAt: Math.max(stored.leaseBeatAt ?? at, at) };
  return at <= stored.lastActiveAt ? stored : { ...stored, lastActiveAt: at };
}
