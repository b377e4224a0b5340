/** What the benchmark and its app say to each other over Node's own channel. */
import { z } from 'zod';
import type { JwksOptions } from '../../src/middleware/options.js';

/**
 * `plain` asks for no credential and tells nobody: what the others add is measured against it. `verified` is the
 * middleware with a client that throws everything away: what it costs to know who asks. The rest verifies alike.
 */
export const servedWays = ['plain', 'verified', 'middleware', 'update', 'signal'] as const;
export type ServedWay = (typeof servedWays)[number];
/** `sink` serves nothing: it works for `signal`. */
export type Way = ServedWay | 'sink';

export interface AppInput {
  readonly way: Way;
  readonly postgresUrl: string;
  readonly temporalAddress: string;
  readonly tokens: JwksOptions;
}

export const appReady = z.object({ port: z.int() });

export const appState = z.object({
  noted: z.int(),
  pending: z.int(),
  signalled: z.int(),
  rssBytes: z.int(),
  heapBytes: z.int(),
});
export type AppState = z.infer<typeof appState>;
