/** What a decision about a token is answered with (RFC 6750). Knows no server framework. */
import { given } from '../../domain/given.js';
import type { AccessTokensPolicy } from '../../domain/tokens/access-policy.js';
import type { EndKind } from '../../domain/tokens/access-verdict.js';
import { type Answer, iso, json } from '../answers.js';
import type { TokenDecision } from './decision.js';
import type { GuardedToken, TokenEnd } from './options.js';

/** Seconds until the token ends, in answers to requests shortly before. */
export const endsInHeader = 'x-dormouse-token-ends-in';

/** For developers: pages have texts of their own. Nothing that an attacker could use. */
const descriptions: Readonly<Record<EndKind, string>> = {
  idle: 'Token rejected due to user inactivity',
  time: 'The token is over its time',
  revoked: 'The token was revoked',
  error: 'The token is not good for this API',
};

/** @param now epoch milliseconds */
export function refusalOf(decision: Exclude<TokenDecision, { kind: 'good' }>, now: number): Answer {
  switch (decision.kind) {
    // RFC 6750, section 3.1: a request without a token gets no error code in the header.
    case 'none':
      return json(401, { error: 'no_token', now: iso(now) }, { 'www-authenticate': 'Bearer realm="app"' });
    case 'refused':
      return refused(decision.end, now);
    case 'unavailable':
      return json(503, { error: 'unavailable' }, { 'retry-after': '5' });
  }
}

/** The state of a good token, for the page that shows it. */
export function stateOf({ verdict, claims }: GuardedToken, now: number): Answer {
  return json(200, {
    state: 'good',
    now: iso(now),
    idleEndsAt: verdict === undefined ? null : iso(verdict.idleEndsAt),
    endsAt: iso(verdict?.endsAt ?? claims.expiresAt),
    ...given({ idleMs: verdict?.idleMs, rule: verdict?.rule }),
  });
}

/** As the seed has it: minutes and hours, whole or not. */
export function configOf({ idle, lifetime, sliding, warnBefore }: AccessTokensPolicy): Answer {
  return json(200, {
    inactivity_threshold_minutes: idle / 60_000,
    max_token_lifetime_hours: lifetime / 3_600_000,
    warn_before_seconds: warnBefore / 1_000,
    features: { inactivity_based_expiration: true, sliding_access: sliding },
  });
}

function refused({ kind, reason, endedAt, rule }: TokenEnd, now: number): Answer {
  return json(
    401,
    {
      error: 'invalid_token',
      end: kind,
      reason,
      ...given({ rule, endedAt: endedAt === undefined ? undefined : iso(endedAt) }),
      now: iso(now),
    },
    {
      'www-authenticate': `Bearer realm="app", error="invalid_token", error_description="${descriptions[kind]}"`,
    },
  );
}
