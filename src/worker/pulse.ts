/** The pulse: says for every activity of a lifecycle that its worker still lives, so that a killed one is replaced soon. */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { heartbeatTimeoutMs } from '../workflows/queues.js';

/** Short activities end before the first beat and cost nothing. */
const beatMs = 4_000;

/** Activities that tell of themselves have another timeout, and details in their heartbeats that must not be lost. */
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
