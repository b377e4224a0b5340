/** Spans of what workers do: of each attempt of an activity, and of each turn of a workflow (workflows/tracing.ts). */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, InjectedSinks } from '@temporalio/worker';
import { given } from '../domain/given.js';
import { inSpan, tracing } from '../process/tracing.js';
import { traceOf } from '../workflows/trace-header.js';
import type { TraceSinks } from '../workflows/tracing.js';

/** For the activities' workers. An attempt that failed is told by the type of its error alone. */
export function tracedAttempts({ info }: Context): ActivityInboundCallsInterceptor {
  return {
    execute: (input, next) =>
      inSpan(
        {
          name: `RunActivity ${info.activityType}`,
          kind: 'consumer',
          attributes: {
            'temporal.activity.attempt': info.attempt,
            ...given({ 'temporal.workflow.id': info.workflowExecution?.workflowId }),
          },
          parent: traceOf(input.headers) ?? 'none',
        },
        () => next(input),
      ),
  };
}

/** For the workflows' worker. */
export const turnSinks: InjectedSinks<TraceSinks> = {
  dormouseTraces: {
    turn: {
      fn: (_info, span) => tracing()?.take(span),
      callDuringReplay: false,
    },
  },
};
