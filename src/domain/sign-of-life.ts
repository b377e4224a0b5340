/**
 * Signs of life of a person or a token, and how they merge: a monotone maximum per kind, so that late,
 * duplicate and out-of-order reports are harmless (docs/architecture.md, invariant 1). Pure.
 */

/**
 * `human`: interactive sign-in, or a request in a verified session. `token`: a refresh, or an API call with a
 * token. `machine`: a service. A failed sign-in is not a sign of life.
 */
export const signKinds = ['human', 'token', 'machine'] as const;
export type SignKind = (typeof signKinds)[number];

export interface SignOfLife {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: SignKind;
  /**
   * The source of the sign, a short name without personal data: `app`, `kratos-session`, `hydra-token-hook`.
   */
  readonly source: string;
}

/** The latest sign of life of each kind, epoch milliseconds. */
export type LatestSigns = Readonly<Partial<Record<SignKind, number>>>;

export const noActivity: LatestSigns = {};

/**
 * Clamps a time in the future to now: there are no signs of life from tomorrow
 * (docs/architecture.md, invariant 1).
 */
export function clampToNow(at: number, now: number): number {
  // guard: a sign of life in the future is clamped to now
  return Math.min(at, now);
}

/** Adds one sign of life. Never moves the time of a kind back. */
export function mergeSign(
  latest: LatestSigns,
  sign: Pick<SignOfLife, 'at' | 'kind'>,
  now: number,
): LatestSigns {
  const at = clampToNow(sign.at, now);
  const known = latest[sign.kind];
  // guard: a sign of life never moves back (memory)
  return known !== undefined && known >= at ? latest : { ...latest, [sign.kind]: at };
}

/** Merges two records kind by kind; the maximum wins. */
export function mergeSigns(a: LatestSigns, b: LatestSigns, now: number): LatestSigns {
  let merged = a;
  for (const kind of signKinds) {
    const at = b[kind];
    if (at !== undefined) merged = mergeSign(merged, { kind, at }, now);
  }
  return merged;
}

/** The latest sign of the given kinds. @returns epoch milliseconds, or `undefined` when there is none */
export function latestOf(latest: LatestSigns, kinds: readonly SignKind[]): number | undefined {
  let latestAt: number | undefined;
  for (const kind of kinds) {
    const at = latest[kind];
    if (at !== undefined && (latestAt === undefined || at > latestAt)) latestAt = at;
  }
  return latestAt;
}
