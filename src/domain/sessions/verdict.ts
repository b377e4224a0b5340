/** Whether a session is live at a moment, when it ends, and why it ended. Pure. */
import { given } from '../given.js';
import type { EffectiveLimits } from './limits.js';
import type { AssuranceLevel, SessionsPolicy, StepUpRule } from './policy.js';

/** The times of a session, epoch milliseconds. */
export interface SessionTimes {
  /** The latest completion of a first factor: the absolute limit counts from here. */
  readonly authenticatedAt: number;
  /** The person's last presence. The sign-in is the first. */
  readonly lastActiveAt: number;
  /** The last beat of a long operation. */
  readonly leaseBeatAt?: number;
}

export type EndReason = 'idle' | 'absolute' | 'signed_out' | 'revoked';

export interface LiveVerdict {
  readonly state: 'live';
  /** Epoch milliseconds; `null`: no idle limit. */
  readonly idleEndsAt: number | null;
  readonly idleMs: number | null;
  readonly absoluteEndsAt: number;
  /** The rule of the limit that comes first. */
  readonly rule: string;
}

export interface EndedVerdict {
  readonly state: 'ended';
  readonly reason: EndReason;
  /** The rule of the policy; absent where no rule ended it. */
  readonly rule?: string;
  /** When the limit was reached, epoch milliseconds. */
  readonly endedAt: number;
}

export type SessionVerdict = LiveVerdict | EndedVerdict;

/**
 * Times in the future (another machine's clock) count as now, so that they lengthen nothing.
 */
export function judge(times: SessionTimes, limits: EffectiveLimits, now: number): SessionVerdict {
  const absoluteEndsAt = Math.min(times.authenticatedAt, now) + limits.absoluteMs;
  // guard: sessions: times in the future lengthen nothing
  const idleEndsAt = limits.idleMs === null ? null : Math.min(idleSince(times), now) + limits.idleMs;
  // guard: sessions: nothing lifts the absolute limit
  const isAbsoluteFirst = idleEndsAt === null || absoluteEndsAt <= idleEndsAt;
  const endsAt = isAbsoluteFirst ? absoluteEndsAt : idleEndsAt;
  const rule = isAbsoluteFirst ? limits.absoluteRule : limits.idleRule;
  if (now >= endsAt) {
    return { state: 'ended', reason: isAbsoluteFirst ? 'absolute' : 'idle', rule, endedAt: endsAt };
  }
  return { state: 'live', idleEndsAt, idleMs: limits.idleMs, absoluteEndsAt, rule };
}

/** The moment from which the idle time counts. */
export function idleSince({ lastActiveAt, leaseBeatAt = lastActiveAt }: SessionTimes): number {
  return Math.max(lastActiveAt, leaseBeatAt);
}

/** Until when a long operation may keep the session, epoch milliseconds. */
export function leaseEndsAt({ lastActiveAt }: SessionTimes, { lease }: SessionsPolicy): number {
  return lastActiveAt + lease.atMost;
}

/** The sign-ins of a session. */
export interface Authentication {
  readonly assurance: AssuranceLevel;
  /** The latest completion of any factor, epoch milliseconds. */
  readonly latestAt: number;
}

/** @returns what the authentication lacks of all the rules together; `undefined`: nothing */
export function missingOf(
  rules: readonly StepUpRule[],
  { assurance, latestAt }: Authentication,
  now: number,
): StepUpRule | undefined {
  const ages = rules.flatMap(({ maxAge }) => (maxAge === undefined ? [] : [maxAge]));
  const levels = rules.flatMap(({ acr }) => (acr === undefined ? [] : [acr])).sort();
  const [maxAge, acr] = [ages.length === 0 ? undefined : Math.min(...ages), levels.at(-1)];
  const isOld = maxAge !== undefined && now - Math.min(latestAt, now) >= maxAge;
  const isWeak = acr !== undefined && assurance < acr;
  return isOld || isWeak ? given({ maxAge, acr }) : undefined;
}
