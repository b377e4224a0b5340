/** Which limits one request of one session is under, and by which rule of the policy. Pure. */

import { routesAbove } from './paths.js';
import type { AssuranceLevel, DeviceClass, Limits, SessionsPolicy } from './policy.js';

/** What a policy judges a session and a request by. */
export interface SessionSubject {
  /**
   * Of the sign-in and of the request. The strictest counts: whoever asks writes the
   * user agent.
   */
  readonly devices: readonly DeviceClass[];
  readonly roles: readonly string[];
  readonly assurance: AssuranceLevel;
  /** The person's own choice, milliseconds. 0 or absent: the policy's limit. */
  readonly choiceMs?: number;
  /** The path that is asked for, or where the person is. Absent: none (the sweep). */
  readonly path?: string;
}

export interface EffectiveLimits {
  /** `null`: no idle limit. */
  readonly idleMs: number | null;
  /** The rule that set it: `idle`, `devices:mobile`, `routes:/billing`, `roles:admin`, `assurance:aal2`, `choices:admin`, `choice`. */
  readonly idleRule: string;
  readonly absoluteMs: number;
  /** `absolute`, `roles:admin` or `assurance:aal2`. */
  readonly absoluteRule: string;
}

interface Candidate {
  readonly ms: number;
  readonly rule: string;
}

/** The strictest of device class, route, roles, assurance level and choice. */
export function limitsFor(policy: SessionsPolicy, subject: SessionSubject): EffectiveLimits {
  const byName = namedLimits(policy, subject);
  const idle = strictest([
    ...deviceLimits(policy, subject),
    ...(subject.path === undefined ? [] : routesAbove(policy.routes, subject.path)).map(([route, ms]) => ({
      ms,
      rule: `routes:${route}`,
    })),
    ...byName.flatMap(([rule, { idle: ms }]) => (ms === undefined ? [] : [{ ms, rule }])),
    ...ceilings(policy, subject),
    ...(subject.choiceMs === undefined || subject.choiceMs <= 0
      ? []
      : [{ ms: subject.choiceMs, rule: 'choice' }]),
  ]);
  const absolute = strictest([
    { ms: policy.absolute, rule: 'absolute' },
    ...byName.flatMap(([rule, { absolute: ms }]) => (ms === undefined ? [] : [{ ms, rule }])),
  ]);
  return {
    idleMs: idle?.ms ?? null,
    idleRule: idle?.rule ?? 'none',
    absoluteMs: absolute?.ms ?? policy.absolute,
    absoluteRule: absolute?.rule ?? 'absolute',
  };
}

/** The choices that change something for this person: 0, and those below every limit that is not a route's. */
export function offeredChoices(policy: SessionsPolicy, subject: SessionSubject): number[] {
  const { path: _, choiceMs: __, ...person } = subject;
  const { idleMs } = limitsFor(policy, person);
  return (policy.choices?.offered ?? []).filter((ms) => ms === 0 || idleMs === null || ms <= idleMs);
}

/** The shortest idle limit that any request can be under, milliseconds; `undefined`: none is limited. */
export function shortestIdle(policy: SessionsPolicy): number | undefined {
  const all = [
    policy.idle,
    policy.devices.mobile,
    policy.devices.desktop,
    ...Object.values(policy.routes),
    ...Object.values(policy.roles).map(({ idle }) => idle),
    ...Object.values(policy.assurance).map((one) => one?.idle),
    ...Object.values(policy.choices?.ceilings ?? {}),
    ...(policy.choices?.offered ?? []),
  ].filter((ms): ms is number => typeof ms === 'number' && ms > 0);
  return all.length === 0 ? undefined : Math.min(...all);
}

function deviceLimits(policy: SessionsPolicy, { devices }: SessionSubject): Candidate[] {
  const classes: readonly (DeviceClass | undefined)[] = devices.length === 0 ? [undefined] : devices;
  return classes.flatMap((device) => {
    const own = device === undefined ? undefined : policy.devices[device];
    const ms = own === undefined ? policy.idle : own;
    return ms === null ? [] : [{ ms, rule: own === undefined ? 'idle' : `devices:${device}` }];
  });
}

function namedLimits(policy: SessionsPolicy, { roles, assurance }: SessionSubject): [string, Limits][] {
  const ofLevel = policy.assurance[assurance];
  return [
    ...ofWords(policy.roles, roles).map(([role, limits]): [string, Limits] => [`roles:${role}`, limits]),
    ...(ofLevel === undefined ? [] : [[`assurance:${assurance}`, ofLevel] satisfies [string, Limits]]),
  ];
}

function ceilings(policy: SessionsPolicy, { roles }: SessionSubject): Candidate[] {
  return ofWords(policy.choices?.ceilings ?? {}, roles).map(([role, ms]) => ({
    ms,
    rule: `choices:${role}`,
  }));
}

/** Letter case makes no difference: these values only tighten. */
function ofWords<Value>(
  byWord: Readonly<Record<string, Value>>,
  words: readonly string[],
): [string, Value][] {
  const asked = words.map((word) => word.toLowerCase());
  return Object.entries(byWord).filter(([word]) => asked.includes(word.toLowerCase()));
}

function strictest(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>(
    (best, one) => (best === undefined || one.ms < best.ms ? one : best),
    undefined,
  );
}
