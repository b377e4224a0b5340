/**
 * Table `activity_feed`: how many signs of life arrived in each hour, and the newest of them. The breaker compares the feed
 * with itself, and what it has seen with what `identity_activity` still holds.
 */
import type pg from 'pg';
import type { FeedBucket } from '../domain/breaker/feed.js';
import type { IdentitySign } from './user-activity.js';

const hourMs = 3_600_000;

/** What an hour remembers of its newest sign. */
export type FeedMark = Pick<IdentitySign, 'identityId' | 'at'>;

export function newestOf(marks: readonly (FeedMark | undefined)[]): FeedMark | undefined {
  return marks.reduce((newest, mark) => ((mark?.at ?? 0) > (newest?.at ?? 0) ? mark : newest), undefined);
}

/** @param newest of these signs; they are recorded already */
export async function countSigns(
  pool: pg.Pool,
  signs: number,
  now: number,
  newest?: FeedMark,
): Promise<void> {
  if (signs === 0) return;
  await pool.query(
    `INSERT INTO activity_feed AS known (hour, signs, newest_at, newest_identity) VALUES ($1, $2, $3, $4)
     ON CONFLICT (hour) DO UPDATE SET signs = known.signs + EXCLUDED.signs,
       newest_at = greatest(known.newest_at, EXCLUDED.newest_at),
       newest_identity = CASE WHEN EXCLUDED.newest_at > coalesce(known.newest_at, '-infinity')
         THEN EXCLUDED.newest_identity ELSE known.newest_identity END`,
    [
      new Date(Math.floor(now / hourMs) * hourMs),
      signs,
      newest === undefined ? null : new Date(newest.at),
      newest?.identityId ?? null,
    ],
  );
}

/** More hours than a backup is old, and still as good as nothing to look up before each act. */
const hoursLookedAt = 500;

/**
 * Signs of life only move forward, and go with their identity: one that was recorded and is not held any more was lost, as
 * by bringing back the table from a backup.
 * @param since what was recorded up to then is accounted for. Epoch milliseconds
 * @returns when the newest lost sign was; `undefined` where none is known to be lost
 */
export async function newestLostSign(client: pg.PoolClient, since: number): Promise<number | undefined> {
  const found = await client.query<{ newest_at: Date }>(
    `SELECT mark.newest_at
     FROM (SELECT newest_at, newest_identity FROM activity_feed ORDER BY hour DESC LIMIT $2) AS mark
     JOIN standing ON standing.identity_id = mark.newest_identity
     WHERE mark.newest_at > $1
       AND NOT EXISTS (SELECT FROM tombstone WHERE identity_id = mark.newest_identity)
       AND NOT EXISTS (
         SELECT FROM identity_activity AS held
         WHERE held.identity_id = mark.newest_identity AND held.last_active_at >= mark.newest_at)
     ORDER BY mark.newest_at DESC LIMIT 1`,
    [new Date(since), hoursLookedAt],
  );
  return found.rows[0]?.newest_at.getTime();
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

/** One row that all entrances of a busy site would update with each batch: each process counts for a while first. */
const countEveryMs = 10_000;

/** Counts the signs that one process took. What a dying process did not write yet is missing from the count only. */
export class FeedMeter {
  private pending = 0;
  private newest: FeedMark | undefined;
  private writtenAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly pool: pg.Pool) {}

  /** Never rejects: the count is a help, and what could not be written is written with the next one. */
  async add(signs: readonly FeedMark[], now: number): Promise<void> {
    this.pending += signs.length;
    this.newest = newestOf([this.newest, ...signs]);
    if (now - this.writtenAt < countEveryMs) return;
    await this.write(now);
  }

  /** Writes what is left. */
  async write(now: number): Promise<void> {
    const signs = this.pending;
    const newest = this.newest;
    this.pending = 0;
    this.newest = undefined;
    this.writtenAt = now;
    await countSigns(this.pool, signs, now, newest).catch(() => {
      this.pending += signs;
      this.newest = newestOf([this.newest, newest]);
    });
  }
}
