/** What applies where an app says nothing; the documentation of each option stands in types.ts. */
import type { SharedOptions } from './types.js';

export function withDefaults({
  timeoutMs = 1_000,
  requestTimeoutMs = 15_000,
  batchMs = 200,
  maxPending = 100_000,
}: SharedOptions) {
  return { timeoutMs, requestTimeoutMs, batchMs, maxPending };
}
