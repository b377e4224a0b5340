/** Deletes data past its retention every hour. Every worker does this; two at once are harmless. */
import type pg from 'pg';
import { type PassReports, type Running, startPasses, unlessNothing } from '../process/passes.js';
import { forgetOld, type Retention } from './retention.js';

const everyMs = 3_600_000;

export function startRetention(
  options: PassReports<Record<string, number>> & { readonly pool: pg.Pool; readonly retention: Retention },
): Running {
  return startPasses({
    everyMs,
    pass: async () => unlessNothing(await forgetOld(options.pool, options.retention, Date.now())),
    ...options,
  });
}
