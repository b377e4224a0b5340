/**
 * One poll of a source: reads pages of an app's audit table, records signs of life, tells
 * workflows, saves the position.
 */
import type pg from 'pg';
import { dayMs } from '../domain/duration.js';
import { clampToNow } from '../domain/sign-of-life.js';
import { closeClaim, recordAndClaim, whoMustHear } from '../signs/claims-table.js';
import { countSigns } from '../signs/feed-table.js';
import type { IdentitySign } from '../signs/identity-sign.js';
import { keepMarks, marksPerPeriod } from '../signs/marks-table.js';
import type { PollPlace, SourcePosition } from '../workflows/schedule-messages.js';
import { type AuditPage, type AuditTable, definitionOf } from './audit-table.js';
import { beginSource, saveSourceProgress } from './positions-table.js';
import type { SignSource } from './source-file.js';

export interface PollOptions {
  readonly source: SignSource;
  readonly table: Pick<AuditTable, 'readPage'>;
  /** Dormouse's own database. */
  readonly pool: pg.Pool;
  /** Tells workflows of signs of life. Rejects when one could not be told. */
  readonly tell: (signs: readonly IdentitySign[]) => Promise<void>;
  /** Epoch milliseconds. */
  readonly now: number;
  /**
   * Continues where an earlier part of the same poll ended; absent: at the saved position, less the overlap.
   */
  readonly from?: PollPlace | undefined;
  /** Called after each page is stored. An error that it throws ends the poll. */
  readonly onPage?: (end: PollPlace) => Promise<void> | void;
  /** Rows per page: what is held in memory. Default 5,000. */
  readonly pageRows?: number;
  /** Most pages. Default 100. */
  readonly maxPages?: number;
}

export interface PollResult {
  readonly rows: number;
  readonly unusable: number;
  readonly pages: number;
  /** There is more to read from here. */
  readonly next?: PollPlace;
}

/**
 * How far an app's clock may be ahead of ours for a row to count (as of now). Later rows wait for their time.
 */
const clockSkewMs = dayMs;

/**
 * Every page is recorded before the position moves behind it, so that a crash repeats a page and
 * loses none. Repeating changes nothing (a monotone maximum). For the same reason two polls of
 * one source at once are harmless.
 */
export async function pollSource(options: PollOptions): Promise<PollResult> {
  const { source, table, pool, now, pageRows = 5_000, maxPages = 100 } = options;
  const definition = definitionOf(source);
  const cursorAt = await beginSource(pool, source.name, definition);
  const startedAt = options.from?.startedAt ?? now;
  let position = options.from?.position ?? startOf(source, cursorAt, now);
  let rows = 0;
  let unusable = 0;
  for (let pages = 1; pages <= maxPages; pages += 1) {
    const page = await table.readPage(position, startedAt + clockSkewMs, pageRows);
    await take(options, page);
    position = page.end ?? position;
    rows += page.rows;
    unusable += page.unusable;
    await saveSourceProgress(pool, {
      name: source.name,
      definition,
      position: notAfter(position, startedAt),
      rows: page.rows,
      unusable: page.unusable,
      now,
    });
    await options.onPage?.({ position, startedAt });
    if (page.rows < pageRows) return { rows, unusable, pages };
  }
  return { rows, unusable, pages: maxPages, next: { position, startedAt } };
}

async function take({ source, pool, tell, now }: PollOptions, page: AuditPage): Promise<void> {
  const signs = page.seen.map(({ identityId, at }) => ({
    identityId,
    at: clampToNow(at, now),
    kind: source.kind,
    source: `sql:${source.name}`,
  }));
  if (signs.length === 0) return;
  const byIdentity = new Map(signs.map((sign) => [sign.identityId, sign]));
  const signsOf = (ids: readonly string[]) => ids.flatMap((id) => byIdentity.get(id) ?? []);
  const mustHear = await whoMustHear(pool, signs, now);
  await tell(signsOf(mustHear));
  const claimed = await recordAndClaim(pool, signs, now);
  const known = new Set(mustHear);
  await tell(signsOf(claimed.identityIds.filter((id) => !known.has(id))));
  for (const id of claimed.identityIds) await closeClaim(pool, claimed.id, id);
  await countSigns(pool, signs.length, now);
  // guard: breaker: signs from a table are marked
  await keepMarks(pool, signs.slice(-marksPerPeriod), now);
}

/**
 * The overlap catches rows that were committed late: their time is that of the statement, not of the commit.
 */
function startOf(source: SignSource, cursorAt: string | undefined, now: number): SourcePosition {
  const at = cursorAt === undefined ? now - source.lookBack : Date.parse(cursorAt) - source.overlap;
  return { at: new Date(at).toISOString(), identity: '' };
}

/**
 * The saved position never passes the poll's beginning, however long the poll takes. Rows that are committed
 * late meanwhile, or lie in the future, are then within the overlap of the next poll.
 */
function notAfter(position: SourcePosition, startedAt: number): SourcePosition {
  return Date.parse(position.at) <= startedAt
    ? position
    : { at: new Date(startedAt).toISOString(), identity: '' };
}
