/** Says how urgent an activity's calls are (process/urgency.ts). */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { type Urgency, withUrgency } from '../process/urgency.js';
import { heartbeatTimeoutMs, urgentPriority } from '../workflows/queues.js';

export function urgent({ info }: Context): ActivityInboundCallsInterceptor {
  return { execute: (input, next) => withUrgency(urgencyOf(info), () => next(input)) };
}

/**
 * The workflow says by Temporal's priority that a person or an operator waits. Activities of one lifecycle are known by their heartbeat timeout, those over many by their own.
 */
function urgencyOf(info: Context['info']): Urgency {
  if (info.priority?.priorityKey === urgentPriority) return 'person';
  return info.heartbeatTimeoutMs === heartbeatTimeoutMs ? 'step' : 'sweep';
}
