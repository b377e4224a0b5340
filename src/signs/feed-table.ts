/**
 * Table `activity_feed`: how many signs of life arrived in each hour. The breaker
 * compares the feed with its own past.
 */
import type pg from 'pg';
import type { FeedBucket } from '../domain/breaker/feed.js';
import { removeOld } from '../postgres/remove-old.js';
import { keepMarks, marksPerPeriod, type SignMark } from './marks-table.js';

const hourMs = 3_600_000;

export async function countSigns(pool: pg.Pool, signs: number, now: number): Promise<void> {
  if (signs === 0) return;
  await pool.query(
    `INSERT INTO activity_feed AS known (hour, signs) VALUES ($1, $2)
     ON CONFLICT (hour) DO UPDATE SET signs = known.signs + EXCLUDED.signs`,
    [new Date(Math.floor(now / hourMs) * hourMs), signs],
  );
}

/** @returns the hours since `from` in which signs arrived */
export async function readFeed(
  client: pg.Pool | pg.PoolClient,
  from: number,
  to: number,
): Promise<FeedBucket[]> {
  const found = await client.query<{ hour: Date; signs: string }>(
    'SELECT hour, signs FROM activity_feed WHERE hour >= $1 AND hour <= $2 ORDER BY hour',
    [new Date(from), new Date(to)],
  );
  return found.rows.map(({ hour, signs }) => ({ at: hour.getTime(), signs: Number(signs) }));
}

/**
 * All entry points of a busy site would update the same row with each batch, so each
 * process first counts for a while.
 */
const countEveryMs = 10_000;

/**
 * Counts the signs that one process received, and marks some of them. A crash loses only the counts and
 * marks that were not yet written.
 */
export class FeedMeter {
  private pending = 0;
  /** The latest identities, the newest last. */
  private readonly marks = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private writtenAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly pool: pg.Pool) {}

  /**
   * Adds recorded signs. Never rejects: count and marks are only an aid, and a failed write
   * is repeated with the next signs.
   */
  async add(signs: readonly SignMark[], now: number): Promise<void> {
    this.pending += signs.length;
    for (const sign of signs) this.mark(sign);
    if (now - this.writtenAt >= countEveryMs) return this.write(now);
    // A timer, because the next sign may take long to come.
    this.timer ??= setTimeout(() => this.write(Date.now()), countEveryMs).unref();
  }

  /** Writes what is left. */
  async write(now: number): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const signs = this.pending;
    const marks = [...this.marks].map(([identityId, at]) => ({ identityId, at }));
    this.pending = 0;
    this.marks.clear();
    this.writtenAt = now;
    await countSigns(this.pool, signs, now).catch(() => {
      this.pending += signs;
    });
    await keepMarks(this.pool, marks, now).catch(() => {
      for (const mark of marks) this.mark(mark);
    });
  }

  private mark({ identityId, at }: SignMark): void {
    const newest = Math.max(at, this.marks.get(identityId) ?? at);
    this.marks.delete(identityId);
    this.marks.set(identityId, newest);
    const [oldest] = this.marks.keys();
    if (this.marks.size > marksPerPeriod && oldest !== undefined) this.marks.delete(oldest);
  }
}

/** Deletes older hours. @returns how many were deleted */
export function forgetOldFeed(pool: pg.Pool, before: Date): Promise<number> {
  return removeOld(pool, 'activity_feed', 'hour < $1', before);
}
