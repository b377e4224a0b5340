/**
 * Signs of life of a person or a token, and how they merge: a monotone maximum per kind, so that late,
 * duplicate and out-of-order reports are harmless (docs/architecture.md, invariant 1). Pure.
 */

/**
 * `human`: interactive sign-in, or a request in a verified session. `token`: a refresh, or an API call with a
 * token. `machine`: a service. A failed sign-in is not a sign of life.
 */
export const activityKinds = ['human', 'token', 'machine'] as const;
export type ActivityKind = (typeof activityKinds)[number];

export interface SignOfLife {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: ActivityKind;
  /**
   * The source of the sign, a short name without personal data: `app`, `kratos-session`, `hydra-token-hook`.
   */
  readonly source: string;
}

/** The latest sign of life of each kind, epoch milliseconds. */
export type LatestActivity = Readonly<Partial<Record<ActivityKind, number>>>;

export const noActivity: LatestActivity = {};

/**
 * Clamps a time in the future to now: there are no signs of life from tomorrow
 * (docs/architecture.md, invariant 1).
 */
export function clampToNow(at: number, now: number): number {
  // guard: activity in the future is clamped to now
  return Math.min(at, now);
}

/** Adds one sign of life. Never moves the time of a kind back. */
export function mergeSign(
  latest: LatestActivity,
  sign: Pick<SignOfLife, 'at' | 'kind'>,
  now: number,
): LatestActivity {
  const at = clampToNow(sign.at, now);
  const known = latest[sign.kind];
  // guard: a sign of life never moves back (memory)
  return known !== undefined && known >= at ? latest : { ...latest, [sign.kind]: at };
}

/** Merges two records kind by kind; the maximum wins. */
export function mergeActivity(a: LatestActivity, b: LatestActivity, now: number): LatestActivity {
  let merged = a;
  for (const kind of activityKinds) {
    const at = b[kind];
    if (at !== undefined) merged = mergeSign(merged, { kind, at }, now);
  }
  return merged;
}

/** The latest sign of the given kinds. @returns epoch milliseconds, or `undefined` when there is none */
export function latestOf(latest: LatestActivity, kinds: readonly ActivityKind[]): number | undefined {
  let latestAt: number | undefined;
  for (const kind of kinds) {
    const at = latest[kind];
    if (at !== undefined && (latestAt === undefined || at > latestAt)) latestAt = at;
  }
  return latestAt;
}
