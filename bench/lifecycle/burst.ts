/** A burst of deactivations with one common deadline, by Dormouse's own worker, and returns in the middle of it. */
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type pg from 'pg';
import { lifecycleWorkflowId } from '../../src/domain/identity-id.js';
import { lifecycleWorkflowType, userActivitySignal } from '../../src/workflows/messages.js';
import { type Burst, burstOf, startAll } from './figures.js';

export interface BurstParts {
  readonly client: Client;
  readonly pool: pg.Pool;
  readonly taskQueue: string;
  readonly policyId: string;
}

const { EventType } = proto.temporal.api.enums.v1;

/** @returns enrolments a second */
export function enrol({ client, taskQueue, policyId }: BurstParts, ids: readonly string[]): Promise<number> {
  return startAll(ids, async (identityId) => {
    await client.workflow.start(lifecycleWorkflowType, {
      workflowId: lifecycleWorkflowId(identityId),
      taskQueue,
      args: [{ schemaVersion: 1, identityId, policy: { id: policyId } }],
    });
  });
}

/** Waits until as many are in this stage. */
export async function untilIn(pool: pg.Pool, stage: string, ids: readonly string[]): Promise<void> {
  let last = -1;
  for (;;) {
    const { rows } = await pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM standing WHERE stage = $1 AND identity_id = ANY($2::uuid[])',
      [stage, ids],
    );
    const count = rows[0]?.count ?? 0;
    if (count === ids.length) return;
    if (count !== last) console.error(`${stage}: ${count} of ${ids.length}`);
    last = count;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Waits for all, and reads from the audit log when each was deactivated. */
export async function watchBurst(
  { pool }: BurstParts,
  ids: readonly string[],
  deadline: number,
  enrolledPerSecond: number,
): Promise<Burst> {
  await untilIn(pool, 'deactivated', ids);
  const { rows } = await pool.query<{ at: Date }>(
    "SELECT min(occurred_at) AS at FROM audit WHERE event_type = 'account_deactivated' AND target = ANY($1) GROUP BY target",
    [ids],
  );
  return burstOf(
    rows.map(({ at }) => at.getTime()),
    deadline,
    enrolledPerSecond,
  );
}

/** @returns milliseconds from the sign of life to the stage `active` in the projection, for each, one after the other */
export async function returnsOf({ client, pool }: BurstParts, ids: readonly string[]): Promise<number[]> {
  const took: number[] = [];
  for (const id of ids) {
    const begunAt = performance.now();
    await client.workflow
      .getHandle(lifecycleWorkflowId(id))
      .signal(userActivitySignal, { schemaVersion: 1, kind: 'human', source: 'bench', at: Date.now() });
    let stage: string | undefined;
    while (stage !== 'active') {
      const { rows } = await pool.query<{ stage: string }>(
        'SELECT stage FROM standing WHERE identity_id = $1',
        [id],
      );
      stage = rows[0]?.stage;
      if (stage !== 'active') await new Promise((resolve) => setTimeout(resolve, 20));
    }
    took.push(performance.now() - begunAt);
  }
  return took;
}

/** @returns how often each activity was scheduled in a life, and how many events it has */
export async function tripsOf(
  client: Client,
  identityId: string,
): Promise<{ readonly events: number; readonly activities: Readonly<Record<string, number>> }> {
  const { events } = await client.workflow.getHandle(lifecycleWorkflowId(identityId)).fetchHistory();
  const activities: Record<string, number> = {};
  for (const { eventType, activityTaskScheduledEventAttributes: scheduled } of events ?? []) {
    if (eventType !== EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) continue;
    const name = scheduled?.activityType?.name ?? 'unknown';
    activities[name] = (activities[name] ?? 0) + 1;
  }
  return { events: events?.length ?? 0, activities };
}
