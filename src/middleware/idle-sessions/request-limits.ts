/** The limits of a request, kept with its session: most requests of a session are under those of the one before. */
import type { IncomingHttpHeaders } from 'node:http';
import { given } from '../../domain/given.js';
import { type EffectiveLimits, limitsFor } from '../../domain/sessions/limits.js';
import { routesAbove } from '../../domain/sessions/paths.js';
import type { SessionsPolicy, StepUpRule } from '../../domain/sessions/policy.js';
import type { StoredSession } from '../../sessions/sessions-table.js';
import { deviceOf } from './devices.js';
import type { SignIn } from './sign-ins.js';

/** Limits, and what they rest on. */
export interface RequestLimits {
  readonly policy: SessionsPolicy;
  readonly signIn: SignIn;
  readonly devices: StoredSession['devices'];
  readonly choiceMs: number | undefined;
  readonly userAgent: string | undefined;
  readonly mobileHint: string | string[] | undefined;
  readonly path: string;
  readonly limits: EffectiveLimits;
  /** What the policy asks of the sign-in there. */
  readonly stepUp: readonly StepUpRule[];
}

export interface LimitsAsked {
  readonly policy: SessionsPolicy;
  readonly stored: StoredSession;
  readonly signIn: SignIn;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Further roles, as the app says. They may change at any time, so that nothing is kept. */
  readonly roles?: readonly string[] | undefined;
}

/** @param known of the last request */
export function requestLimits(
  known: RequestLimits | undefined,
  { policy, stored, signIn, headers, path, roles }: LimitsAsked,
): RequestLimits {
  const { devices, choiceMs } = stored;
  const userAgent = headers['user-agent'];
  const mobileHint = headers['sec-ch-ua-mobile'];
  const holds =
    roles === undefined &&
    known !== undefined &&
    known.policy === policy &&
    known.signIn === signIn &&
    known.devices === devices &&
    known.choiceMs === choiceMs &&
    known.mobileHint === mobileHint &&
    known.userAgent === userAgent &&
    (known.path === path || !namesPaths(policy));
  if (holds) return known;
  const limits = limitsFor(policy, {
    devices: [...new Set([...devices, deviceOf(headers)])],
    roles: [...signIn.roles, ...(roles ?? [])],
    assurance: signIn.assurance,
    path,
    ...given({ choiceMs }),
  });
  const stepUp = routesAbove(policy.stepUp, path).map(([, rule]) => rule);
  return { policy, signIn, devices, choiceMs, userAgent, mobileHint, path, limits, stepUp };
}

function namesPaths({ routes, stepUp }: SessionsPolicy): boolean {
  return Object.keys(routes).length > 0 || Object.keys(stepUp).length > 0;
}
