/** Schemas that several routes share, for validation, serialisation and the OpenAPI document. */
import { z } from 'zod';
import { exemptionKinds } from '../domain/exemption.js';
import { holdKinds } from '../domain/lifecycle/holds.js';
import { rfc3339 } from '../domain/rfc3339.js';
import { rfc3339Text } from '../domain/rfc3339-text.js';
import { rungNames, stages } from '../domain/rungs.js';
import { signKinds } from '../domain/sign-of-life.js';

/** The gateway's answer when it refuses. */
export const problem = z.object({
  error: z.string().describe('stable name of the problem'),
  message: z.string().describe('the field, what is wrong with it, and the way out'),
});

/** The answers of a route, together with those of any authenticated route. */
export function answers<Own extends Record<number, z.ZodType>>(own: Own) {
  return {
    ...own,
    400: problem.describe('The request is wrong'),
    401: problem.describe('No credential, or a wrong one'),
    403: problem.describe('The credential lacks the scope of this route'),
    413: problem.describe('The body is too large'),
    415: problem.describe('Neither the content type nor the content encoding of this route'),
    429: problem.describe('Too many requests; Retry-After says when to come back'),
    500: problem.describe('The gateway failed'),
    503: problem.describe('PostgreSQL or Temporal is away; Retry-After says when to come back'),
  };
}

export const inputTime = rfc3339Text('must be a time as 2026-01-31T00:00:00Z');

const asWritten = (description: string) => ({ type: 'string', format: 'date-time', description }) as const;

/**
 * A time in an answer: routes hand on epoch milliseconds, and the answer has RFC 3339 in UTC.
 * @param description what it is the time of
 */
export function outputTime(description = 'RFC 3339, in UTC') {
  // The document describes what is sent, which for a codec is its input.
  return z
    .codec(z.iso.datetime(), z.number(), { decode: (text) => Date.parse(text), encode: rfc3339 })
    .meta(asWritten(description));
}

const time = outputTime();

export const identityParameters = z.object({ id: z.string().describe('UUID of the Kratos identity') });

const policyReference = z.object({ id: z.string(), version: z.number(), hash: z.string() }).readonly();
const nextStep = z
  .object({ step: z.enum(['rung', 'notice']), rung: z.enum([...rungNames, 'bury']), at: time })
  .readonly();
const hold = z
  .object({
    id: z.string().exactOptional(),
    kind: z.enum(holdKinds).exactOptional(),
    reason: z.string(),
    actor: z.string(),
    since: time,
    until: time,
  })
  .readonly();
/** The answer to a hold or a release where no lifecycle runs. */
export const withoutLifecycleAnswer = z.object({
  schemaVersion: z.literal(1),
  identityId: z.string(),
  stage: z.literal('none'),
  why: z.string().describe('one sentence for an operator'),
  holds: z.array(hold).readonly().exactOptional(),
  warnings: z.array(z.string()).readonly(),
});
const parked = z
  .object({ step: z.string(), errorType: z.string(), wayOut: z.string(), since: time })
  .readonly();

const blocked = z.object({ by: z.string(), why: z.string(), since: time.exactOptional() }).readonly();
const credential = z
  .object({
    kind: z.enum(['session', 'refresh', 'personal']).describe('session: ended by the rung revoke'),
    type: z.string().exactOptional().describe('of personal access tokens'),
    policyId: z.string(),
    inactiveMs: z.number().nullable().describe('null: never ends unused'),
    live: z.number().exactOptional().describe('absent for sessions: Kratos has them'),
    nextEndAt: outputTime('of the first that ends, if nobody shows up').exactOptional(),
  })
  .readonly();

/** The parts of a {@link Standing} that the interface promises to apps and operators. */
export const standingAnswer = z.object({
  schemaVersion: z.literal(1),
  identityId: z.string(),
  stage: z.enum(stages),
  since: time,
  lastActiveAt: time,
  activity: z.partialRecord(z.enum(signKinds), time).readonly(),
  policy: policyReference.exactOptional(),
  next: nextStep.exactOptional(),
  blocked: blocked.exactOptional(),
  why: z.string().describe('one sentence for an operator'),
  hold: hold.exactOptional().describe('the hold that ends last'),
  holds: z.array(hold).readonly().exactOptional(),
  parked: parked.exactOptional(),
  skipped: z
    .partialRecord(z.enum(rungNames), time)
    .readonly()
    .exactOptional()
    .describe('rungs that an operator decided against, in this absence'),
  inProgress: z.string().exactOptional().describe('the step that is being carried out'),
  notices: z
    .array(
      z.object({
        rung: z.enum(rungNames),
        leadMs: z.number(),
        outcome: z.string(),
        at: time,
        inactiveSince: time,
      }),
    )
    .readonly(),
  completed: z.partialRecord(z.enum(rungNames), time).readonly(),
  warnings: z.array(z.string()).readonly(),
});

/** The same from the workflow itself. */
export const liveStandingAnswer = standingAnswer.extend({
  obstacles: z
    .array(blocked)
    .readonly()
    .exactOptional()
    .describe('everything that is in the way, that of blocked first; with live=true'),
  credentials: z
    .array(credential)
    .readonly()
    .exactOptional()
    .describe('when the credentials of each type end for inactivity; with live=true'),
});

/** An exemption that an operator set. */
export const exemptionAnswer = z.object({
  id: z.number(),
  identityId: z.string(),
  kind: z.enum(exemptionKinds),
  reason: z.string(),
  owner: z.string(),
  reviewAt: outputTime('somebody has to look again then; it stays in force'),
  setBy: z.string(),
  setAt: outputTime(),
  endedAt: outputTime().exactOptional(),
});
