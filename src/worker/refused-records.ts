/** Distinguishes records that PostgreSQL refuses for good from temporary failures. */
import { log } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { giveUp } from '../process/step-error.js';

/** Data exceptions (22) and integrity violations (23): every retry of the same statement fails again. */
const refusal = /^2[23][0-9A-Z]{3}$/;

/** @returns the SQLSTATE, where PostgreSQL refused the data and was not merely down */
export function refusedState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  // guard: records: what PostgreSQL refuses for good is not retried for ever
  return refusal.test(error.code) ? error.code : undefined;
}

/** Only the SQLSTATE is reported: the statement's values may be personal. */
export const refusedRecords: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      const state = refusedState(error);
      if (state === undefined) throw error;
      log.error('PostgreSQL refused a record', { state });
      throw giveUp('RecordRefused', `PostgreSQL refused the record (SQLSTATE ${state})`);
    }
  },
};
