/** Activities of the reconciliation with Kratos. Each may run again at any time. */

import type { IdentityApi } from '@ory/client';
import { Context, type Info, log } from '@temporalio/activity';
import type pg from 'pg';
import { z } from 'zod';
import { anonymisedAmong } from '../deletion/tombstones-table.js';
import type { Assessment } from '../domain/lifecycle/assessment.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import { rungNames } from '../domain/rungs.js';
import { idsPerList } from '../ory/list-by-ids.js';
import { causeOf } from '../process/cause.js';
import type { Clock } from '../process/clock.js';
import { concernsOne } from '../process/outage.js';
import { Pacer, type PacerClock } from '../process/pacer.js';
import { readDirectoryPage, readDirectorySize, readPresent } from '../reconciliation/directory.js';
import { type EnrolTools, enrolPage } from '../reconciliation/enrol.js';
import { wakeOfGone } from '../reconciliation/gone.js';
import { type LostTools, lostAmong } from '../reconciliation/lost.js';
import { type Forecast, withForecast } from '../reconciliation/preview.js';
import {
  readEnrolled,
  readEnrolledAfter,
  writeReconciliation,
} from '../reconciliation/reconciliations-table.js';
import type {
  ReconcileCounts,
  ReconcileOptions,
  ReconcileResult,
  SweepPosition,
} from '../workflows/reconcile-messages.js';

export interface ReconcileDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  /** The lifecycle's own look, so that a preview sees the same. */
  readonly assess: (input: {
    identityId: string;
    policyChoice: PolicyChoice;
    isPreview: true;
  }) => Promise<Assessment>;
  /** The clock of the pacer. Default: the real one. */
  readonly paceClock?: PacerClock;
}

export interface PagesInput {
  readonly options: ReconcileOptions;
  /** The task queue of the workflows, for lifecycles that are started. */
  readonly taskQueue: string;
  readonly position: SweepPosition;
  /** No page begins after this time, milliseconds. */
  readonly forMs: number;
}

/** What one page needs. */
interface Sweep extends ReconcileDependencies, EnrolTools, LostTools {
  readonly options: ReconcileOptions;
  readonly listPacer: Pacer;
}

/** Lists requested from Temporal a second, so that its visibility store has room for its other work. */
const queriesPerSecond = 20;

export function createReconcileActivities(deps: ReconcileDependencies) {
  return {
    /**
     * Reads pages from a position on. After a crash it continues from the heartbeat,
     * with the page that was being read.
     * @returns the position reached
     */
    async reconcilePages(input: PagesInput): Promise<SweepPosition> {
      const context = Context.current();
      let position = resumed(context.info) ?? input.position;
      const paceClock = deps.paceClock ?? {
        now: () => performance.now(),
        sleep: (ms: number) => context.sleep(ms),
      };
      const sweep: Sweep = {
        ...deps,
        options: input.options,
        client: context.client,
        taskQueue: input.taskQueue,
        startPacer: new Pacer(input.options.startsPerSecond, paceClock),
        temporalPacer: new Pacer(queriesPerSecond, paceClock),
        listPacer: new Pacer(input.options.kratosCallsPerSecond, paceClock),
        alive: () => context.heartbeat(position),
      };
      const endAt = performance.now() + input.forMs;
      while (position.place.phase !== 'done' && performance.now() < endAt) {
        context.cancellationSignal.throwIfAborted();
        sweep.alive();
        position = await turnPage(sweep, position);
      }
      return position;
    },

    /** @returns the number of identities that Kratos reports, if it does */
    async countIdentities(): Promise<number | undefined> {
      return readDirectorySize(deps.identities);
    },

    /** Writes a row and a line in the log. */
    async recordReconciliation(input: {
      workflowId: string;
      runId: string;
      result: ReconcileResult;
    }): Promise<void> {
      const { workflowId, runId, result } = input;
      const {
        startedAt,
        endedAt,
        schemaVersion: _version,
        preview: _preview,
        mails: _mails,
        dryRun: _dry,
        ...counts
      } = result;
      await writeReconciliation(deps.pool, { runId, workflowId, startedAt, endedAt, counts });
      log.info('reconciled with Kratos', { ...counts, durationMs: endedAt - startedAt });
    },
  };
}

export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

async function turnPage(sweep: Sweep, position: SweepPosition): Promise<SweepPosition> {
  const { place, counts } = position;
  await sweep.listPacer.turn();
  if (place.phase === 'identities') {
    const { pageSize } = sweep.options;
    const page = await readDirectoryPage(sweep.identities, pageSize, place.pageToken);
    if (page.malformed > 0) {
      log.warn('Kratos listed records without an id that an identity can have', { count: page.malformed });
    }
    const done = await enrolMissing(sweep, page.identityIds, position);
    const { nextToken } = page;
    return {
      place:
        nextToken === undefined ? { phase: 'lifecycles' } : { phase: 'identities', pageToken: nextToken },
      counts: plus(counts, {
        pages: 1,
        seen: page.identityIds.length + page.malformed,
        ...done.counts,
        failed: (done.counts.failed ?? 0) + page.malformed,
      }),
      ...done.forecast,
    };
  }
  if (place.phase === 'lifecycles') {
    const enrolled = await readEnrolledAfter(sweep.pool, place.after, idsPerList);
    const last = enrolled.at(-1);
    if (last === undefined) return { ...position, place: { phase: 'done' } };
    const gone = await wakeGone(sweep, enrolled);
    const isLast = enrolled.length < idsPerList;
    return {
      ...position,
      place: isLast ? { phase: 'done' } : { phase: 'lifecycles', after: last },
      counts: plus(counts, { pages: 1, checked: enrolled.length, gone }),
    };
  }
  return position;
}

interface PageDone {
  readonly counts: Partial<ReconcileCounts>;
  readonly forecast: Forecast;
}

async function enrolMissing(
  sweep: Sweep,
  page: readonly string[],
  { preview, mails }: Forecast,
): Promise<PageDone> {
  const forecast = { preview, ...(mails && { mails }) };
  const { options, pool } = sweep;
  const enrolled = options.distrustProjection ? new Set<string>() : await readEnrolled(pool, page);
  // Shells of anonymised people have no lifecycle, and need none.
  const shells = await anonymisedAmong(pool, page);
  const lost = await lostAmong(sweep, [...enrolled]);
  for (const identityId of lost) enrolled.delete(identityId);
  if (lost.length > 0 && !options.dryRun) {
    log.warn('lifecycles that ran no more are started again', { count: lost.length });
  }
  const missing = page.filter((identityId) => !enrolled.has(identityId) && !shells.has(identityId));
  if (options.dryRun) return previewOf(sweep, missing, page.length - missing.length, forecast);
  const done = await enrolPage(sweep, missing, options);
  return { counts: { ...done, alreadyRunning: enrolled.size + done.alreadyRunning }, forecast };
}

/** Looks at each identity as its lifecycle would, and starts nothing. */
async function previewOf(
  sweep: Sweep,
  missing: readonly string[],
  alreadyRunning: number,
  before: Forecast,
): Promise<PageDone> {
  let [forecast, started, failed] = [before, 0, 0];
  for (const identityId of missing) {
    await sweep.startPacer.turn();
    sweep.alive();
    try {
      const policyChoice = { id: sweep.options.policyId };
      const assessment = await sweep.assess({ identityId, policyChoice, isPreview: true });
      const now = await sweep.clock.now();
      if (assessment.identity === undefined) continue;
      started += 1;
      forecast = withForecast(forecast, identityId, assessment, now);
    } catch (error) {
      if (!concernsOne(error)) throw error;
      log.warn('an identity could not be looked at', { identityId, ...causeOf(error) });
      failed += 1;
    }
  }
  return { counts: { started, alreadyRunning, failed }, forecast };
}

async function wakeGone(sweep: Sweep, enrolled: readonly string[]): Promise<number> {
  const present = await readPresent(sweep.identities, enrolled);
  const gone = enrolled.filter((identityId) => !present.has(identityId));
  if (sweep.options.dryRun) return gone.length;
  for (const identityId of gone) {
    await sweep.startPacer.turn();
    await wakeOfGone({ ...sweep, policyId: sweep.options.policyId }, identityId);
    sweep.alive();
  }
  return gone.length;
}

function plus(counts: ReconcileCounts, more: Partial<ReconcileCounts>): ReconcileCounts {
  return {
    pages: counts.pages + (more.pages ?? 0),
    seen: counts.seen + (more.seen ?? 0),
    started: counts.started + (more.started ?? 0),
    alreadyRunning: counts.alreadyRunning + (more.alreadyRunning ?? 0),
    checked: counts.checked + (more.checked ?? 0),
    gone: counts.gone + (more.gone ?? 0),
    failed: counts.failed + (more.failed ?? 0),
  };
}

const count = z.number().int().nonnegative();
const positionSchema = z.object({
  place: z.discriminatedUnion('phase', [
    z.object({ phase: z.literal('identities'), pageToken: z.string().exactOptional() }),
    z.object({ phase: z.literal('lifecycles'), after: z.guid().exactOptional() }),
    z.object({ phase: z.literal('done') }),
  ]),
  counts: z.object({
    pages: count,
    seen: count,
    started: count,
    alreadyRunning: count,
    checked: count,
    gone: count,
    failed: count,
  }),
  preview: z.partialRecord(
    z.enum([...rungNames, 'nothing', 'exempt', 'not-understood', 'disabled-by-hand']),
    count,
  ),
});

/** The position of an earlier attempt. An unreadable heartbeat of another build counts as none. */
function resumed(info: Info): SweepPosition | undefined {
  return positionSchema.safeParse(info.heartbeatDetails).data;
}
