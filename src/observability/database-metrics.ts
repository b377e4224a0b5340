/**
 * Figures that PostgreSQL has: identities by stage, what is overdue, parked, held or unsigned, and the feed of signs of life. Read at an
 * interval by each worker, never by a scrape, so that no reader of the page can burden the database. All workers answer the same:
 * queries take `max`.
 */
import type pg from 'pg';
import { Gauge, type Registry } from 'prom-client';
import { readAuditFigures } from '../audit/figures.js';
import { countGrants } from '../breaker/grants-table.js';
import { pendingReleases } from '../breaker/releases-table.js';
import { activeTrips } from '../breaker/trips-table.js';
import { breakerActions } from '../domain/breaker/rules.js';
import { wayOutOf } from '../domain/error-types.js';
import type { BlockedBy } from '../domain/lifecycle/next-step.js';
import { stages } from '../domain/rungs.js';
import { type Running, startPasses } from '../process/passes.js';
import { readFeed } from '../signs/feed-table.js';
import { readStandingFigures } from '../standings/figures.js';

const hourMs = 3_600_000;
const blocks: readonly (BlockedBy | 'none')[] = [
  'none',
  'parked',
  'hold',
  'exempt',
  'disabled-by-admin',
  'no-notice',
  'breaker',
  'missing',
];
const livingStages = stages.filter((stage) => stage !== 'deleted');
const scopes = [...breakerActions, 'all'] as const;

export interface DatabaseMetricsOptions {
  readonly registry: Registry;
  /** A pool of its own: figures must not take connections from the work. */
  readonly pool: pg.Pool;
  /** Milliseconds. Default: half a minute. */
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Reads at once, and again after each interval. A failed reading keeps the figures; their age tells. */
export function startDatabaseMetrics(options: DatabaseMetricsOptions): Running {
  const { registry, pool, everyMs = 30_000, onError, now = Date.now } = options;
  const write = databaseGauges(registry);
  return startPasses<undefined>({
    everyMs,
    onPass: () => undefined,
    onError,
    async pass() {
      const at = now();
      await write(pool, at);
      return undefined;
    },
  });
}

/** @returns a function that reads everything once, at a time in epoch milliseconds */
export function databaseGauges(registry: Registry): (pool: pg.Pool, at: number) => Promise<void> {
  const gauge = <Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ) => new Gauge({ name, help, labelNames, registers: [registry] });
  const identities = gauge('dormouse_identities', 'Identities that have a lifecycle and are not deleted.', [
    'stage',
    'blocked_by',
  ]);
  const parked = gauge('dormouse_parked_steps', 'Steps that failed for good and wait for an operator.', [
    'error_type',
  ]);
  const overdue = gauge(
    'dormouse_overdue_identities',
    'Identities whose next step is due and was not taken, though nothing is in its way.',
  );
  const overdueSeconds = gauge(
    'dormouse_overdue_longest_seconds',
    'For how long the longest overdue step has been due.',
  );
  const tripped = gauge('dormouse_breaker_trips', 'Trips of the breaker that nobody released yet.', [
    'scope',
  ]);
  const grants = gauge('dormouse_breaker_grants_last_day', 'Acts that the breaker let pass in 24 hours.', [
    'action',
  ]);
  const pending = gauge('dormouse_breaker_releases_pending', 'Releases that need another operator.');
  const signs = gauge(
    'dormouse_signs_of_life_per_hour',
    'Signs of life that arrived in the hour before the present one.',
  );
  const unsigned = gauge('dormouse_audit_unsigned_entries', 'Entries after the last signed head of the log.');
  const signedAt = gauge(
    'dormouse_audit_head_signed_timestamp_seconds',
    'When the last head of the audit log was signed. 0: none was.',
  );
  const readAt = gauge(
    'dormouse_database_figures_timestamp_seconds',
    'When the figures of the database were read.',
  );
  readAt.set(0);
  return async (pool, at) => {
    const figures = await readStandingFigures(pool, at);
    const hour = Math.floor(at / hourMs) * hourMs;
    const [trips, releases, feed, audit, ...acts] = await inTurn([
      () => activeTrips(pool),
      () => pendingReleases(pool),
      () => readFeed(pool, hour - hourMs, hour - hourMs),
      () => readAuditFigures(pool),
      ...breakerActions.map((action) => () => countGrants(pool, action, at - 24 * hourMs)),
    ] as const);
    identities.reset();
    for (const stage of livingStages)
      for (const blocked_by of blocks) identities.set({ stage, blocked_by }, 0);
    for (const { stage, blockedBy, count } of figures.groups) {
      identities.set({ stage, blocked_by: blockedBy }, count);
    }
    parked.reset();
    for (const { errorType, count } of figures.parked) {
      parked.inc({ error_type: Object.hasOwn(wayOutOf, errorType) ? errorType : 'other' }, count);
    }
    overdue.set(figures.overdue);
    overdueSeconds.set(figures.overdueSince === undefined ? 0 : (at - figures.overdueSince) / 1_000);
    for (const scope of scopes) tripped.set({ scope }, trips.filter((trip) => trip.scope === scope).length);
    for (const [index, action] of breakerActions.entries()) grants.set({ action }, acts[index] ?? 0);
    pending.set(releases.length);
    signs.set(feed.reduce((sum, bucket) => sum + bucket.signs, 0));
    unsigned.set(audit.unsigned);
    signedAt.set((audit.signedAt ?? 0) / 1_000);
    readAt.set(at / 1_000);
  };
}

type Answers<Questions extends readonly (() => Promise<unknown>)[]> = {
  [Index in keyof Questions]: Awaited<ReturnType<Questions[Index]>>;
};

/** One question after the other: figures need one connection. */
async function inTurn<const Questions extends readonly (() => Promise<unknown>)[]>(
  questions: Questions,
): Promise<Answers<Questions>> {
  const answers: unknown[] = [];
  for (const ask of questions) answers.push(await ask());
  return answers as Answers<Questions>;
}
