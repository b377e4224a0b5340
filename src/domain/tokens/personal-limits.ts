/** Which limits a personal access token is under, and by which rule of the policy. Pure. */
import type { PersonalTokensPolicy } from './personal-policy.js';

/** What a policy judges a token by. */
export interface TokenSubject {
  readonly type: string;
  /** Of its owner, as they were last known. */
  readonly roles: readonly string[];
}

export interface PersonalLimits {
  /** Longest time without a use, milliseconds; `null`: never ends for inactivity. */
  readonly inactiveMs: number | null;
  /** The rule that set it: `inactive`, `types:ci` or `roles:admin`. */
  readonly inactiveRule: string;
  /** Longest time since the creation, milliseconds; `null`: no ceiling. */
  readonly lifetimeMs: number | null;
  /** `longestLifetime`, `types:ci` or `roles:admin`. */
  readonly lifetimeRule: string;
}

interface Limit {
  readonly ms: number | null;
  readonly rule: string;
}

/** The values of the type, or those of all tokens; then the strictest of them and of the owner's roles. */
export function personalLimits(policy: PersonalTokensPolicy, { type, roles }: TokenSubject): PersonalLimits {
  const ofType = Object.hasOwn(policy.types, type) ? policy.types[type] : undefined;
  const ceilings = roles.flatMap((role) => {
    const ceiling = Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined;
    return ceiling === undefined ? [] : [{ rule: `roles:${role}`, ceiling }];
  });
  const inactive = strictest(
    ofType?.inactive === undefined
      ? { ms: policy.inactive, rule: 'inactive' }
      : { ms: ofType.inactive, rule: `types:${type}` },
    ceilings.map(({ rule, ceiling }) => ({ ms: ceiling.inactive ?? null, rule })),
  );
  const lifetime = strictest(
    ofType?.longestLifetime === undefined
      ? { ms: policy.longestLifetime ?? null, rule: 'longestLifetime' }
      : { ms: ofType.longestLifetime, rule: `types:${type}` },
    ceilings.map(({ rule, ceiling }) => ({ ms: ceiling.longestLifetime ?? null, rule })),
  );
  return {
    inactiveMs: inactive.ms,
    inactiveRule: inactive.rule,
    lifetimeMs: lifetime.ms,
    lifetimeRule: lifetime.rule,
  };
}

/** The shortest time without a use that ends any token: one that was used later is over no limit. `null`: none ends. */
export function shortestInactive(policy: PersonalTokensPolicy): number | null {
  return shortest([
    policy.inactive,
    ...Object.values(policy.types).map((limits) => limits.inactive ?? null),
    ...Object.values(policy.roles).map((limits) => limits.inactive ?? null),
  ]);
}

/** The shortest ceiling of any token. `null`: there is none. */
export function shortestLifetime(policy: PersonalTokensPolicy): number | null {
  return shortest([
    policy.longestLifetime ?? null,
    ...Object.values(policy.types).map((limits) => limits.longestLifetime ?? null),
    ...Object.values(policy.roles).map((limits) => limits.longestLifetime ?? null),
  ]);
}

function strictest(base: Limit, others: readonly Limit[]): Limit {
  return others.reduce((best, other) => {
    if (other.ms === null || (best.ms !== null && best.ms <= other.ms)) return best;
    return other;
  }, base);
}

function shortest(limits: readonly (number | null)[]): number | null {
  const set = limits.filter((ms): ms is number => ms !== null);
  return set.length === 0 ? null : Math.min(...set);
}
