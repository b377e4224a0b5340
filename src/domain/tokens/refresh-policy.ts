/** The policy's section `tokens.refresh`: when a refresh token ends that nobody uses. Defaults are those of seed 004. Pure. */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { duration, durationForm } from '../policy/duration.js';

const sameOrigin = z.union([duration, z.literal('off').transform(() => null)], {
  error: `is neither "off" nor a duration. ${durationForm}`,
});

const grace = z.union([duration, z.literal(0)], {
  error: `is neither 0 (each token works once) nor a duration. ${durationForm}`,
});

/** Durations in milliseconds; `null`: the rule is off. */
export const refreshSection = z.strictObject({
  /** A family that was unused for this long is revoked. Without any use its creation counts. */
  unused: duration.default(365 * dayMs),
  /**
   * At a sign-in, the person's own families that were last used from the same address and user agent, and unused for this long, are
   * revoked.
   */
  sameOrigin: sameOrigin.default(30 * dayMs),
  /** All families of a person without any sign of life for this long are revoked. */
  inactive: duration.default(180 * dayMs),
  /** How long a token that was exchanged may be presented again, and gets the same successor. 0: once means once. */
  grace: grace.default(10_000),
  /** How long an address is kept whole after its last use. It is then cut to /24, or /48 for IPv6. */
  keepAddress: duration.default(60 * dayMs),
  /** How long a family that ended stays in the registry. */
  keepDead: duration.default(90 * dayMs),
  /** Whether people are mailed after families of theirs ended by one of these rules. */
  tellAfterwards: z.boolean({ error: 'is neither true nor false' }).default(true),
  onPasswordReset: z
    .enum(['revoke', 'keep', 'ask'], {
      error: 'write "revoke" (all end), "keep" (none ends) or "ask" (as the person chose)',
    })
    .default('revoke'),
  /** The longest life since the creation, however often it is used. Absent: no limit. */
  longestLifetime: duration.exactOptional(),
});

export type RefreshPolicy = z.infer<typeof refreshSection>;
