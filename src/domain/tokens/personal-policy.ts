/** The member `personal` of the policy's section `tokens`: personal access tokens. Pure. */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { duration, durationForm } from '../policy/duration.js';

/** What precedes the `_` of a token. Secret scanners look for it. */
export const prefixPattern = /^[a-z][a-z0-9]{1,15}$/;
/** A type of tokens, as a policy names it. */
export const tokenTypePattern = /^[a-z][a-z0-9-]{0,31}$/;
/** RFC 6749, section 3.3, without characters that need quoting in a log. */
export const scopePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;
/** The type of tokens that are created without one. */
export const usualType = 'personal';

const inactive = z.union([duration, z.literal('never').transform(() => null)], {
  error: `is neither "never" nor a duration. ${durationForm}`,
});

const typeName = z
  .string()
  .regex(tokenTypePattern, 'is not a type. Write lower-case letters, digits and hyphens, 32 at most');
const scope = z
  .string()
  .regex(scopePattern, 'is not a scope. Write letters, digits and . _ : / -, 64 at most, as repo:read');

/** When tokens of one type end. Milliseconds. */
const typeLimits = z.strictObject({
  inactive: inactive.exactOptional(),
  longestLifetime: duration.exactOptional(),
  /** The scopes that a token of this type may have, instead of those of all. */
  scopes: z.array(scope).exactOptional(),
});

/** What a role's tokens never exceed. Milliseconds. */
const ceiling = z
  .strictObject({ inactive: duration.exactOptional(), longestLifetime: duration.exactOptional() })
  .refine(({ inactive: unused, longestLifetime }) => unused !== undefined || longestLifetime !== undefined, {
    error: 'limits nothing. Write inactive, longestLifetime, or both',
  });

/** How personal access tokens end. Durations in milliseconds; `null`: never for inactivity. */
export const personalTokensSection = z.strictObject({
  /** Ends a token that was not used for as long. Creation counts where it was never used. */
  inactive: inactive.default(365 * dayMs),
  /** A ceiling: no token lives longer, whatever expiry it was created with. Absent: tokens may be without expiry. */
  longestLifetime: duration.exactOptional(),
  /** The scopes that a token may have. None unless named: whoever creates a token must not widen what they may do. */
  scopes: z.array(scope).default([]),
  types: z.record(typeName, typeLimits).default({}),
  /** Ceilings by the owner's role. They only tighten. */
  roles: z.record(z.string().min(1).max(64), ceiling).default({}),
  /** How long ahead of an end its owner is told, the longest lead first. Empty: they are not. */
  notices: z
    .array(duration)
    .max(8, 'holds more than 8 leads. Name fewer')
    .default([30 * dayMs, 7 * dayMs, dayMs]),
  /** The stage of the owner from which tokens are refused. */
  refusedFrom: z
    .enum(['suspended', 'revoked', 'deactivated'], {
      error: 'write the first stage at which tokens are refused: "suspended", "revoked" or "deactivated"',
    })
    .default('deactivated'),
  /** The last use of a token is written at most once in this time. */
  writeEvery: duration.default(5 * 60_000),
  /** Live tokens of one person, at most. */
  atMost: z.int().min(1, 'must be 1 at least').max(500, 'must be 500 at most').default(100),
  prefix: z
    .string()
    .regex(prefixPattern, 'is not a prefix. Write 2 to 16 lower-case letters and digits, a letter first')
    .default('dmp'),
});

export type PersonalTokensPolicy = z.infer<typeof personalTokensSection>;
