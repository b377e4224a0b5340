/**
 * The form of an inactivity policy, with every duration in milliseconds once parsed. Pure. The default figures are
 * those of the project's seed documents (policies/default.yaml).
 */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { exemptionKinds } from '../exemption.js';
import { opaqueNamePattern, policyIdPattern } from '../names.js';
import { destructiveRungs } from '../rungs.js';
import { absenceSection } from './absence.js';
import { breakerSection } from './breaker.js';
import { deletionSection } from './deletion.js';
import { duration, durationForm } from './duration.js';
import { kinds, ladder, ladderOverride } from './ladder.js';

const application = z.enum(['ladder', 'never'], {
  error: 'write "ladder" (the policy applies) or "never" (exempt)',
});

/** Accounts behind which nobody is who shows up: a policy that does not name them leaves them alone. */
const outByDefault = { service: 'never', trusted_integration: 'never', break_glass: 'never' } as const;

/** What people may do by a link in a mail; what is left out is not allowed. */
const selfService = z.strictObject({
  reactivation: z
    .strictObject({
      /** How long the link that ends a deactivation holds. */
      linkLifetime: duration,
      /** Roles that an operator has to bring back. */
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

/** A bare id, or with what a later reader needs to know; whatever has no owner shows in the work list. */
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
      /** When somebody has to look whether it is still right. The exclusion stays in force after that. */
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
  /** Durations below a day are refused unless this is true: a slip of `30s` for `30d` would end every session. */
  allowShortDurations: z.boolean().default(false),
  ladder,
  /** Kinds of activity that keep an account alive. */
  keepsAlive: kinds.default(['human', 'token']),
  /**
   * At the bottom of the ladder, a workflow hears of activity at most once in this time (never more than a twentieth of
   * the shortest rung). PostgreSQL has every sign of life, and the workflow reads it when it wakes.
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
  /** For accounts of which no mail address was ever confirmed: values that differ from the ladder's. Roles of an admin's win. */
  unconfirmed: ladderOverride.optional(),
  /** Per `metadata_admin.account_type`. Whoever wants one of {@link outByDefault} on the ladder says so. */
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
  /** How many destructive acts are normal; above it they wait for an operator (docs/architecture.md, invariant 7). */
  breaker: breakerSection,
  /** When an identity that Kratos does not know any more is taken for deleted. */
  absence: absenceSection,
  /** What the rung `delete` does, in which parts. */
  deletion: deletionSection,
  /** How often something that blocks (exempt, disabled by an admin, no address) is looked at again. */
  recheck: duration,
  selfService: selfService.optional(),
  retry,
});

export type Policy = z.infer<typeof policyObject>;
