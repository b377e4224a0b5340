/** What a decision is answered with. Knows no server framework. */
import { given } from '../../domain/given.js';
import type { StepUpRule } from '../../domain/sessions/policy.js';
import type { LiveVerdict } from '../../domain/sessions/verdict.js';
import { type Answer, iso, json } from '../answers.js';
import type { Decision, Live } from './decision.js';

type Refusal = Exclude<Decision, { kind: 'live' }>;

/** @param now epoch milliseconds */
export function refusalOf(decision: Refusal, now: number): Answer {
  switch (decision.kind) {
    case 'none':
      return unauthorized({ error: 'no_session', now: iso(now) });
    case 'ended': {
      const { reason, rule, endedAt } = decision.end;
      return unauthorized({
        error: 'session_ended',
        reason,
        ...given({ rule }),
        endedAt: iso(endedAt),
        now: iso(now),
      });
    }
    case 'step-up':
      return stepUp(decision.missing);
    case 'lease-exhausted':
      return json(409, {
        error: 'lease_exhausted',
        message: 'the person was not present for as long as the policy lets an operation go on',
      });
    case 'unavailable':
      return json(503, { error: 'unavailable' }, { 'retry-after': '5' });
  }
}

/** RFC 9470, section 3. */
function stepUp({ maxAge, acr }: StepUpRule): Answer {
  const seconds = maxAge === undefined ? undefined : Math.floor(maxAge / 1_000);
  const parameters = [
    'error="insufficient_user_authentication"',
    'error_description="A fresh or stronger sign-in is needed"',
    ...(seconds === undefined ? [] : [`max_age="${seconds}"`]),
    ...(acr === undefined ? [] : [`acr_values="${acr}"`]),
  ];
  return json(
    401,
    {
      error: 'insufficient_user_authentication',
      ...given({ max_age: seconds, acr_values: acr }),
    },
    { 'www-authenticate': `Bearer ${parameters.join(', ')}` },
  );
}

/** The state of a live session, for the page that shows it. */
export function stateOf({ session, policy }: Live, writeEveryMs: number, now: number): Answer {
  const { idleEndsAt, absoluteEndsAt, idleMs, rule }: LiveVerdict = session.verdict;
  const share = (ms: number, part: number) =>
    idleMs === null ? ms : Math.min(ms, Math.floor(idleMs / part));
  return json(200, {
    state: 'live',
    now: iso(now),
    idleEndsAt: idleEndsAt === null ? null : iso(idleEndsAt),
    absoluteEndsAt: iso(absoluteEndsAt),
    idleMs,
    rule,
    warnBeforeMs: share(policy.warnBefore, 2),
    renewal: policy.renewal,
    renewEveryMs: share(writeEveryMs, 10),
    leaseBeatMs: share(policy.lease.beat, 3),
  });
}

function unauthorized(body: Readonly<Record<string, unknown>>): Answer {
  // RFC 9110, section 11.6.1: a 401 names a scheme. This one makes no browser ask for a password.
  return json(401, body, { 'www-authenticate': 'Session realm="app"' });
}
