/** What a log may say of a failure: its kind. A message may quote a row, an address or an answer of another system. */
import { StepError } from './step-error.js';

/** @returns fields of a log line */
export function causeOf(error: unknown): { readonly errorType: string; readonly status?: number } {
  if (error instanceof StepError) {
    return { errorType: error.type, ...(error.status !== undefined && { status: error.status }) };
  }
  if (!(error instanceof Error)) return { errorType: 'unknown' };
  // PostgreSQL's and Node's errors have a code, as 57014 and ECONNREFUSED.
  const { code } = error as { code?: unknown };
  return { errorType: typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : error.name };
}
