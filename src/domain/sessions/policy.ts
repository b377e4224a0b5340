/** The policy's section `sessions`: when a session ends that nobody uses. Pure. */
import { z } from 'zod';
import { duration, durationForm } from '../policy/duration.js';
import { routePattern } from './paths.js';
import { presetNames, withPreset } from './presets.js';

const limit = z.union([duration, z.literal('none').transform(() => null)], {
  error: `is neither "none" nor a duration. ${durationForm}`,
});

/** Device classes that a policy can name. */
export const deviceClasses = ['mobile', 'desktop'] as const;
export type DeviceClass = (typeof deviceClasses)[number];

/** Assurance levels of Kratos (`authenticator_assurance_level`). */
export const assuranceLevels = ['aal1', 'aal2', 'aal3'] as const;
export type AssuranceLevel = (typeof assuranceLevels)[number];

const name = z.string().min(1).max(64);
const route = z
  .string()
  .regex(routePattern, 'is not a route. Write a path from the root, as /billing, without "*", "?" or "#"');

/** A duration alone limits the idle time. */
const limits = z.union(
  [
    duration.transform((idle): Limits => ({ idle })),
    z
      .strictObject({ idle: duration.exactOptional(), absolute: duration.exactOptional() })
      .refine(({ idle, absolute }) => idle !== undefined || absolute !== undefined, {
        error: 'limits nothing. Write idle, absolute, or both',
      }),
  ],
  { error: `is neither a duration nor { idle, absolute }. ${durationForm}` },
);

/** Limits of one role or assurance level, milliseconds. */
export interface Limits {
  readonly idle?: number;
  readonly absolute?: number;
}

const choice = z.union([duration, z.literal(0)], {
  error: `is neither 0 ("never") nor a duration. ${durationForm}`,
});

const stepUp = z.union(
  [
    duration.transform((maxAge): StepUpRule => ({ maxAge })),
    z
      .strictObject({ maxAge: duration.exactOptional(), acr: z.enum(assuranceLevels).exactOptional() })
      .refine(({ maxAge, acr }) => maxAge !== undefined || acr !== undefined, {
        error: 'asks for nothing. Write maxAge, acr, or both',
      }),
  ],
  { error: `is neither a duration (the oldest sign-in) nor { maxAge, acr }. ${durationForm}` },
);

/** What a route asks of a sign-in (RFC 9470). */
export interface StepUpRule {
  /** The oldest authentication, milliseconds. */
  readonly maxAge?: number;
  readonly acr?: AssuranceLevel;
}

const availability = z.enum(['refuse', 'open'], {
  error: 'write "refuse" (nobody gets in unjudged) or "open"',
});

/** How sessions end. Durations in milliseconds; `null`: no limit. */
export const sessionsObject = z.strictObject({
  preset: z.enum(presetNames, { error: `is not a preset. There are: ${presetNames.join(', ')}` }).optional(),
  /** Idle limit where no device class of the request is named below. */
  idle: limit,
  /** Limit since the sign-in. Nothing lifts it. */
  absolute: duration,
  /** What renews: presence that the browser library reports, or each request that is not marked as background. */
  renewal: z
    .enum(['presence', 'requests'], {
      error: 'write "presence" (the browser library reports input) or "requests" (each request renews)',
    })
    .default('presence'),
  /** Idle limits below a path. */
  routes: z.record(route, duration).default({}),
  devices: z.strictObject({ mobile: limit.exactOptional(), desktop: limit.exactOptional() }).default({}),
  roles: z.record(name, limits).default({}),
  assurance: z
    .strictObject({
      aal1: limits.exactOptional(),
      aal2: limits.exactOptional(),
      aal3: limits.exactOptional(),
    })
    .default({}),
  /** What a person may choose for themselves. A choice only tightens. */
  choices: z
    .strictObject({
      /** 0: "never", that is the policy's own limit. */
      offered: z.array(choice).min(1, 'is empty. Name at least one choice, or leave "choices" out').max(12),
      /** The longest idle time of a role, whatever is chosen. */
      ceilings: z.record(name, duration).default({}),
    })
    .optional(),
  /** How long before its idle end the page warns. */
  warnBefore: duration.default(60_000),
  stepUp: z.record(route, stepUp).default({}),
  /** Long operations, such as an upload. */
  lease: z
    .strictObject({
      /** The longest time since the person's last presence. */
      atMost: duration.default(2 * 3_600_000),
      /** How often the operation tells that it goes on. */
      beat: duration.default(60_000),
    })
    .prefault({}),
  /** What happens while PostgreSQL or Kratos is away: for all routes, or below a path. */
  whenUnavailable: z
    .union([availability, z.record(route, availability)], {
      error: 'write "refuse" or "open", or one of them for each route',
    })
    .default('refuse'),
});

export type SessionsPolicy = z.infer<typeof sessionsObject>;

/** The section with its preset filled in: a field that is written replaces the field of the preset. */
export const sessionsSection = z.preprocess(withPreset, sessionsObject);
