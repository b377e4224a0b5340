/**
 * The pulse: heartbeats for every activity of a lifecycle, so that the activities
 * of a killed worker restart soon.
 */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { heartbeatTimeoutMs } from '../workflows/queues.js';

/** Short activities end before the first heartbeat and cost nothing. */
const beatMs = 4_000;

/** Activities with their own heartbeats have another timeout, and details that must not be overwritten. */
export function pulse(context: Context): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      if (context.info.heartbeatTimeoutMs !== heartbeatTimeoutMs) return next(input);
      const beating = setInterval(() => context.heartbeat(), beatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(beating);
      }
    },
  };
}
