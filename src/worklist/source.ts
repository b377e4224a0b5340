/**
 * The interface of every source of the work list: a count, and pages by key, so that
 * a list of any length is cheap.
 */
import type pg from 'pg';
import type { WorkItem, WorkKind, WorklistLimits } from './rules.js';

export interface WorkQuery extends WorklistLimits {
  /** Epoch milliseconds. */
  readonly now: number;
}

/** One item, and the key after which a later page continues. */
export interface KeyedItem {
  readonly key: string;
  readonly item: WorkItem;
}

export interface WorkSource {
  readonly kind: WorkKind;
  /** The pattern of its keys. */
  readonly keyPattern: RegExp;
  count(pool: pg.Pool, query: WorkQuery): Promise<number>;
  /** @returns items after a key, in the order of their keys: `rows` of them, or fewer at the end */
  page(pool: pg.Pool, query: WorkQuery, after: string | undefined, rows: number): Promise<KeyedItem[]>;
}

/** A source that is always short is read as a whole. */
export function shortSource(
  kind: WorkKind,
  read: (pool: pg.Pool, query: WorkQuery) => Promise<readonly WorkItem[]>,
): WorkSource {
  return {
    kind,
    keyPattern: /^\d{1,9}$/,
    count: async (pool, query) => (await read(pool, query)).length,
    page: async (pool, query, after, rows) => {
      const from = after === undefined ? 0 : Number(after) + 1;
      const items = await read(pool, query);
      return items.slice(from, from + rows).map((item, index) => ({ key: String(from + index), item }));
    },
  };
}
