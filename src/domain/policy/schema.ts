/**
 * The form of an inactivity policy, with every duration in milliseconds once parsed. Pure. The default
 * figures are those of the project's seed documents (policies/default.yaml).
 */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { exemptionKinds } from '../exemption.js';
import { opaqueNamePattern, policyIdPattern } from '../names.js';
import { destructiveRungs } from '../rungs.js';
import { sessionsSection } from '../sessions/policy.js';
import { tokensSection } from '../tokens/policy.js';
import { absenceSection } from './absence.js';
import { breakerSection } from './breaker.js';
import { deletionSection } from './deletion.js';
import { duration, durationForm } from './duration.js';
import { kinds, ladder, ladderOverride } from './ladder.js';
import { populationsSection } from './populations.js';

const application = z.enum(['ladder', 'never'], {
  error: 'write "ladder" (the policy applies) or "never" (exempt)',
});

/** Accounts that no person signs in to. A policy that does not name them exempts them. */
const outByDefault = { service: 'never', trusted_integration: 'never', break_glass: 'never' } as const;

/** What people may do by a link in a mail. An action that is left out is not allowed. */
const selfService = z.strictObject({
  reactivation: z
    .strictObject({
      /** How long the link that ends a deactivation is valid. */
      linkLifetime: duration,
      /** Roles that only an operator may bring back. */
      exceptRoles: z.array(z.string().min(1).max(64)).default([]),
    })
    .optional(),
  /** "Keep my account" in notices. */
  keep: z
    .strictObject({
      rungs: z
        .array(z.enum(destructiveRungs, { error: `name rungs with notices: ${destructiveRungs.join(', ')}` }))
        .min(1, 'is empty. Name at least one rung, for example [delete], or leave "keep" out'),
      postpones: duration,
      /** Postponements of one rung in one absence. */
      times: z.int().min(1).max(20),
    })
    .optional(),
});

const retry = z.strictObject({
  /** Attempts of one step before it is parked for an operator. */
  attempts: z.int().min(1).max(1000),
  firstAfter: duration,
  longestAfter: duration,
});

const identityUuid = z.uuid('is not a UUID. Name identities by their Kratos id');

/**
 * A bare id, or an id with details for later readers. An exclusion without an owner shows in the work list.
 */
const excludedIdentity = z.union(
  [
    identityUuid.transform((id) => ({ id })),
    z.strictObject({
      id: identityUuid,
      kind: z.enum(exemptionKinds).optional(),
      owner: z
        .string()
        .regex(opaqueNamePattern, 'takes an opaque id or the name of a team, never an e-mail address')
        .optional(),
      /** When an operator has to review the exclusion. It stays in force after that. */
      reviewAt: z.iso
        .date('is not a date. Write it as 2027-01-31')
        .transform((text) => Date.parse(text))
        .optional(),
    }),
  ],
  { error: 'is not a UUID. Name identities by their Kratos id, alone or as { id, kind, owner, reviewAt }' },
);

export const policyObject = z.strictObject({
  id: z.string().regex(policyIdPattern, 'takes lower-case letters, digits and hyphens, 32 at most'),
  description: z.string().max(500).optional(),
  /**
   * Durations below a day are refused unless this is true: `30s` by mistake for
   * `30d` would end every session.
   */
  allowShortDurations: z.boolean().default(false),
  ladder,
  /** Kinds of signs of life that keep an account alive. */
  keepsAlive: kinds.default(['human', 'token']),
  /**
   * At the bottom of the ladder, a workflow gets at most one signal in this time (never more than a twentieth
   * of the shortest rung). PostgreSQL has every sign of life, and the workflow reads it when it wakes.
   */
  signalWindow: duration.default(dayMs),
  /** Per role, values that differ from the ladder's; `never` exempts. */
  roles: z
    .record(
      z.string().min(1).max(64),
      z.union([z.literal('never'), ladderOverride], {
        error: 'write "never" (exempt), or the rungs whose values differ from the ladder\'s',
      }),
    )
    .default({}),
  /**
   * For accounts without any confirmed mail address: values that differ from the ladder's. Overrides for an
   * admin's roles take precedence.
   */
  unconfirmed: ladderOverride.optional(),
  /** Other ladders for some people: the first that fits takes the place of `ladder`. */
  populations: populationsSection,
  /** Per `metadata_admin.account_type`. To put a type of {@link outByDefault} on the ladder, name it here. */
  // guard: service and break-glass accounts are out where a policy is silent
  accountTypes: z
    .record(z.string().min(1).max(64), application)
    .default({})
    .transform((given): Record<string, 'ladder' | 'never'> => ({ ...outByDefault, ...given })),
  /** Whether `metadata_admin.skip_stale_revocation` opts an identity out. */
  honourOptOut: z.boolean().default(true),
  exclusions: z
    .strictObject({
      /** Break-glass accounts and the like: never touched. */
      identities: z.array(excludedIdentity).default([]),
      /** Kratos identity schemas whose identities are never touched. */
      schemas: z.array(z.string().min(1)).default([]),
    })
    .default({ identities: [], schemas: [] }),
  /** Spread of deadlines, so that a backlog does not act in one instant. */
  jitter: z
    .union([duration, z.literal('none').transform(() => 0)], {
      error: `is neither "none" nor a duration. ${durationForm}`,
    })
    .default(0),
  /**
   * How many destructive acts are normal. Acts above it wait for an operator
   * (docs/architecture.md, invariant 7).
   */
  breaker: breakerSection,
  /** When an identity that Kratos no longer knows counts as deleted. */
  absence: absenceSection,
  /** Which parts the rung `delete` has. */
  deletion: deletionSection,
  /** How often a block (exempt, disabled by an admin, no address) is checked again. */
  recheck: duration,
  selfService: selfService.optional(),
  /** When a session ends that nobody uses (docs/idle-sessions.md). Absent: sessions are not judged by this policy. */
  sessions: sessionsSection.optional(),
  /** When a token ends that nobody uses. Absent: tokens are not judged by this policy. */
  tokens: tokensSection.optional(),
  retry,
});

export type Policy = z.infer<typeof policyObject>;
