/** Table `activity_feed`: how many signs of life arrived in each hour. The breaker compares the feed with itself. */
import type pg from 'pg';
import type { FeedBucket } from '../domain/breaker/feed.js';

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

/** One row that all entrances of a busy site would update with each batch: each process counts for a while first. */
const countEveryMs = 10_000;

/** Counts the signs that one process took. What a dying process did not write yet is missing from the count only. */
export class FeedMeter {
  private pending = 0;
  private writtenAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly pool: pg.Pool) {}

  /** Never rejects: the count is a help, and what could not be written is written with the next one. */
  async add(signs: number, now: number): Promise<void> {
    this.pending += signs;
    if (now - this.writtenAt < countEveryMs) return;
    await this.write(now);
  }

  /** Writes what is left. */
  async write(now: number): Promise<void> {
    const signs = this.pending;
    this.pending = 0;
    this.writtenAt = now;
    await countSigns(this.pool, signs, now).catch(() => {
      this.pending += signs;
    });
  }
}
