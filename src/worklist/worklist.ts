/** The work list, put together: counts by kind, and pages through one source after the other. */

import type pg from 'pg';
import { releaseSource, tripSource } from './breaker.js';
import { ownerlessSource, reviewSource } from './exemptions.js';
import { holdSource } from './holds.js';
import { alteredSource } from './policies.js';
import type { WorkItem, WorkKind } from './rules.js';
import type { WorkQuery, WorkSource } from './source.js';
import {
  disabledSource,
  missingSource,
  noNoticeSource,
  parkedSource,
  skippedSource,
  warningSource,
} from './standings.js';

/** In the order of display: the most severe first. */
const sources: Readonly<Record<WorkKind, WorkSource>> = {
  'breaker-tripped': tripSource,
  'release-pending': releaseSource,
  'policy-altered': alteredSource,
  missing: missingSource,
  parked: parkedSource,
  'no-notice': noNoticeSource,
  'exemption-review': reviewSource,
  'exemption-without-owner': ownerlessSource,
  'hold-ends': holdSource,
  'deletion-skipped': skippedSource,
  'disabled-by-admin': disabledSource,
  warning: warningSource,
};
const order = Object.values(sources);

export type WorkCounts = Readonly<Record<WorkKind, number>>;

/** @returns how many items of each kind there are */
export async function countWork(pool: pg.Pool, query: WorkQuery): Promise<WorkCounts> {
  const counted = await Promise.all(order.map(async (one) => [one.kind, await one.count(pool, query)]));
  return Object.fromEntries(counted) as WorkCounts;
}

export interface WorkPage {
  readonly items: readonly WorkItem[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** A cursor that did not come from one of our pages. */
export class WorkCursorError extends Error {
  override readonly name = 'WorkCursorError';
}

/**
 * One page of the list, or of one kind of it.
 * @throws WorkCursorError
 */
export async function readWork(
  pool: pg.Pool,
  query: WorkQuery,
  page: { readonly kind?: WorkKind; readonly after?: string; readonly rows: number },
): Promise<WorkPage> {
  const { kind, after, rows } = page;
  const place = after === undefined ? undefined : placeOf(after);
  const from = place === undefined ? order : order.slice(order.indexOf(place.source));
  const items: WorkItem[] = [];
  for (const source of from) {
    if (kind !== undefined && source.kind !== kind) continue;
    const key = source === place?.source ? place.key : undefined;
    const found = await source.page(pool, query, key, rows - items.length);
    items.push(...found.map(({ item }) => item));
    const last = found.at(-1);
    if (items.length >= rows && last !== undefined) return { items, next: `${source.kind}:${last.key}` };
  }
  return { items };
}

function placeOf(cursor: string): { source: WorkSource; key: string } {
  const [kind = '', key = ''] = cursor.split(':');
  const source = order.find((one) => one.kind === kind);
  if (source?.keyPattern.test(key) === true) return { source, key };
  throw new WorkCursorError('after: is not the end of a page. Pass what the page before gave as "next"');
}
