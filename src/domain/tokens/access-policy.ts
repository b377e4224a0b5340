/** The member `access` of the policy's section `tokens`: access tokens that end when nobody uses them. Pure. */
import { z } from 'zod';
import { duration } from '../policy/duration.js';
import { routePattern } from '../sessions/paths.js';

const minuteMs = 60_000;
/** The longest life of a token in the seeds' two modes: an hour, and a quarter of one where each renewal needs a live sign-in. */
const lifetimes = { idle: 60 * minuteMs, sliding: 15 * minuteMs } as const;

const name = z.string().min(1).max(64);
const route = z
  .string()
  .regex(routePattern, 'is not a route. Write a path from the root, as /billing, without "*", "?" or "#"');

/** When access tokens end. Milliseconds. */
export const accessTokensSection = z
  .strictObject({
    /** Ends a token that was not used for as long. */
    idle: duration.default(20 * minuteMs),
    /** The longest life of a token since its issue, whatever its own `exp` says. Default 60m, and 15m where `sliding`. */
    lifetime: duration.exactOptional(),
    /** Refuses tokens whose own life is longer than `lifetime`: their client is to fetch a new one while the person is there. */
    sliding: z.boolean().default(false),
    /**
     * Clients of Hydra that get a token only while the session behind the sign-in is live: its token hook refuses their refresh grants.
     */
    clients: z
      .array(z.string().regex(/^[\x21-\x7e]{1,255}$/, 'is not the id of a client'))
      .max(1_000)
      .default([]),
    /** Idle limits below a path. The strictest counts. */
    routes: z.record(route, duration).default({}),
    /** Idle limits of roles. The strictest counts. */
    roles: z.record(name, duration).default({}),
    /** Paths whose requests are judged, and renew nothing: polls, logs, documentation. */
    excluded: z.array(route).default([]),
    /** From how long before its end a token's answers say that it ends. */
    warnBefore: duration.default(2 * minuteMs),
    /** How far the issuer's clock may be ahead. */
    leeway: z
      .union([duration, z.literal('none').transform(() => 0)], { error: 'is neither "none" nor a duration' })
      .default(30_000),
    /** A token's use is written at most once in this time. */
    writeEvery: duration.default(minuteMs),
    /**
     * What happens while its last use can't be read: nobody gets in (`refuse`), or the token's own times decide (`time`).
     */
    whenUnavailable: z
      .enum(['refuse', 'time'], {
        error: 'write "refuse" (nobody gets in unjudged) or "time" (the token\'s own times decide)',
      })
      .default('refuse'),
  })
  .transform(({ lifetime, ...rest }) => ({
    ...rest,
    lifetime: lifetime ?? (rest.sliding ? lifetimes.sliding : lifetimes.idle),
  }));

export type AccessTokensPolicy = z.infer<typeof accessTokensSection>;
