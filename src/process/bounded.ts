/** Time limits for calls that an app can't wait for. */
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { DormouseUnavailableError } from './caller-errors.js';

/** Rejects when `work` takes longer than `ms`. Its later result is ignored. */
export async function within<T>(ms: number, system: 'Temporal' | 'PostgreSQL', work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DormouseUnavailableError(system)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** gRPC status codes of a temporary failure rather than a refusal. */
const transientCodes = new Set([
  1, // CANCELLED: by the deadline
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
]);

/** Whether Temporal is down or overloaded, rather than refusing the request. */
export function isTransient(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && transientCodes.has(cause.code);
}
