/** Says how urgent an activity's calls are (process/urgency.ts). */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { type Urgency, withUrgency } from '../process/urgency.js';
import { heartbeatTimeoutMs } from '../workflows/queues.js';

export function urgent({ info }: Context): ActivityInboundCallsInterceptor {
  return { execute: (input, next) => withUrgency(urgencyOf(info), () => next(input)) };
}

/** Activities of one lifecycle are known by their heartbeat timeout, those over many by their own. */
function urgencyOf(info: Context['info']): Urgency {
  return info.heartbeatTimeoutMs === heartbeatTimeoutMs ? 'step' : 'sweep';
}
