/**
 * Activity: one poll of an app's audit table. Heartbeats after each page, and resumes
 * there. May run again at any time.
 */
import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import pLimit from 'p-limit';
import pg from 'pg';
import type { Clock } from '../process/clock.js';
import type { IdentitySign } from '../signs/identity-sign.js';
import { type LifecyclePlace, tellLifecycle } from '../signs/tell-lifecycle.js';
import { AuditTable } from '../sources/audit-table.js';
import type { ConnectedSource } from '../sources/load-sources.js';
import { type PollResult, pollSource } from '../sources/poll.js';
import type { PollPlace } from '../workflows/schedule-messages.js';

export interface ActivitySourceDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly sources: readonly ConnectedSource[];
  /** The policy of identities that a sign of life enrols. */
  readonly policyId: string;
}

/** Most signals sent at once: the first reading of a big table must not crowd out current ones. */
const signalsAtOnce = 10;

export function createSourceActivities({ pool, clock, sources, policyId }: ActivitySourceDependencies) {
  return {
    /**
     * @param input.taskQueue of the lifecycle workflows
     * @param input.from where an earlier part of the same poll ended
     * @throws UnknownActivitySource (not retried), ActivitySourceFailed
     */
    async pollActivitySource(input: {
      source: string;
      taskQueue: string;
      from?: PollPlace;
    }): Promise<PollResult> {
      const connected = sources.find(({ source }) => source.name === input.source);
      if (connected === undefined) throw unknownSource(input.source);
      const { source, connectionUrl } = connected;
      // The progress of a killed attempt.
      let reached: PollPlace | undefined = activityInfo().heartbeatDetails ?? input.from;
      const table = new AuditTable(source, connectionUrl);
      try {
        await table.connect();
        return await pollSource({
          source,
          table,
          pool,
          now: await clock.now(),
          from: reached,
          tell: (signs) => tell(signs, { taskQueue: input.taskQueue, policyId }, () => heartbeat(reached)),
          onPage: async (end) => {
            reached = end;
            heartbeat(end);
            if (Context.current().cancellationSignal.aborted) await Context.current().cancelled;
          },
        });
      } catch (error) {
        throw withoutData(error);
      } finally {
        await table.close();
      }
    },
  };
}

export type SourceActivities = ReturnType<typeof createSourceActivities>;

/** Enrols identities that have no lifecycle yet. */
async function tell(
  signs: readonly IdentitySign[],
  place: LifecyclePlace,
  onTold: () => void,
): Promise<void> {
  const { client } = Context.current();
  const limit = pLimit(signalsAtOnce);
  await Promise.all(
    signs.map((sign) =>
      limit(async () => {
        await tellLifecycle(client.workflow, place, sign);
        onTold();
      }),
    ),
  );
}

function unknownSource(name: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'UnknownActivitySource',
    message: `this worker knows no source "${name}". Give every worker the same DORMOUSE_ACTIVITY_SOURCES_FILE`,
    nonRetryable: true,
  });
}

/**
 * PostgreSQL's messages may quote rows, so only the code is kept
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
function withoutData(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (!(error instanceof pg.DatabaseError) && typeof code !== 'string') return error;
  return ApplicationFailure.create({
    type: 'ActivitySourceFailed',
    message: `a database answered ${String(code)}. ${adviceFor(String(code))}`,
  });
}

function adviceFor(code: string): string {
  if (code === '57014') return 'A page took too long: add an index that begins with the time column';
  if (code === '42501') return 'Grant SELECT on the audit table to the role of the connection URL';
  if (code === '42883' || code === '42P01' || code === '42703') {
    return 'Check table and columns in DORMOUSE_ACTIVITY_SOURCES_FILE; the time column must be a timestamp';
  }
  if (code.startsWith('28')) return "Check user and password of the source's connection URL";
  return 'Check that it runs, and that the connection URL is right';
}
