/** Waits no longer than an app can afford. */
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { DormouseUnavailableError } from './caller-errors.js';

/** Rejects when `work` takes longer than `ms`; what it does afterwards is ignored. */
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

/** gRPC status codes that say "not now" rather than "not so". */
const transientCodes = new Set([
  1, // CANCELLED: by the deadline
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
]);

/** Whether Temporal is away or overloaded, as opposed to refusing the request. */
export function isTransient(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && transientCodes.has(cause.code);
}
