/** The edge between steps and Temporal: a step error becomes a failure with its type and whether to retry. */

import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { given } from '../domain/given.js';
import { StepError } from '../process/step-error.js';

function failureOf({ type, message, nonRetryable, nextRetryDelay, status }: StepError): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable,
    ...given({ nextRetryDelay }),
    ...(status === undefined ? {} : { details: [status] }),
  });
}

export const stepFailures: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw error instanceof StepError ? failureOf(error) : error;
    }
  },
};
