/** One event as an app reports it, and the resulting sign of life. */

import { z } from 'zod';
import type { ActivityReport } from '../../client.js';
import { given } from '../../domain/given.js';
import { rfc3339Text } from '../../domain/rfc3339-text.js';
import { signKinds } from '../../domain/sign-of-life.js';
import { traceparentPattern } from '../../domain/trace-context.js';

/**
 * The allowed names of an event. This lists what counts, not what does not. A failed sign-in is never a sign
 * of life under any name (docs/architecture.md): otherwise guessing passwords would keep an account alive.
 */
export const signsOfLife = [
  'login',
  'login_succeeded',
  'registration',
  'recovery',
  'settings',
  'session_verified',
  'request',
  'token_refreshed',
  'token_used',
] as const;

const time = z.union([z.int(), rfc3339Text('is no time').transform((text) => Date.parse(text))], {
  error: 'must be epoch milliseconds, or a time as 2026-01-31T00:00:00Z',
});

export const reportedSign = z.strictObject({
  identityId: z.string().describe('UUID of the Kratos identity, never an e-mail address'),
  at: time.optional().describe('when the person was seen; default: now. The future is clamped to now'),
  kind: z.enum(signKinds).default('human'),
  source: z.string().default('app').describe('where it was seen: a short name without personal data'),
  event: z
    .enum(signsOfLife, {
      error: `is no sign of life: failed sign-ins never are. Leave it out, or send one of ${signsOfLife.join(', ')}`,
    })
    .optional()
    .describe('what happened'),
  traceparent: z
    .string()
    .regex(traceparentPattern, { error: 'must be a traceparent of W3C Trace Context, version 00' })
    .optional()
    .describe('where in a distributed trace it was seen (docs/observability.md)'),
});
export type ReportedSign = z.infer<typeof reportedSign>;

/**
 * @param signedAt when the event was signed, epoch milliseconds. A later time is not accepted: neither a
 * replayed request nor an `at` in the future moves the time beyond what the sender signed.
 */
export function reportOf(event: ReportedSign, signedAt?: number): ActivityReport {
  const { at, kind, source } = event;
  const believed = signedAt === undefined ? at : Math.min(at ?? signedAt, signedAt);
  return { kind, source, ...given({ at: believed }) };
}
