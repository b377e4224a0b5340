/**
 * Exemptions that operators set: the ladder does not apply until an operator ends the exemption. Nothing that
 * a person can write creates one. Pure.
 */
export const exemptionKinds = ['break-glass', 'service', 'trusted-integration', 'opt-out', 'other'] as const;
export type ExemptionKind = (typeof exemptionKinds)[number];

export interface Exemption {
  readonly id: number;
  readonly identityId: string;
  readonly kind: ExemptionKind;
  readonly reason: string;
  /** The owner who answers for the exemption: an opaque id, or the name of a team. */
  readonly owner: string;
  /** When an operator has to review the exemption; epoch milliseconds. It stays in force after that. */
  readonly reviewAt: number;
  readonly setBy: string;
  readonly setAt: number;
  /** Epoch milliseconds; absent while it is in force. */
  readonly endedAt?: number;
}

/** The longest time until a review. A longer interval would let the exemption be forgotten. */
export const longestReviewMs = 1_096 * 86_400_000;

/** @returns what is wrong with the time of a review, or `undefined` */
export function reviewProblem(reviewAt: number, now: number): string | undefined {
  if (!Number.isFinite(reviewAt)) return 'is not a time. Pass a Date or epoch milliseconds';
  if (reviewAt <= now) return 'is in the past. Pass the time at which somebody looks at it again';
  if (reviewAt - now <= longestReviewMs) return undefined;
  return 'is more than three years ahead. Pass an earlier time; the exemption stays in force after it';
}
