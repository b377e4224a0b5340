/** Holds: several may be in force at once, each with a kind. Chooses the one that a release means. Pure. */
import { dayMs } from '../duration.js';

/**
 * `legal`: a duty to keep data, released only where the release names this kind. `leave`: the
 * person is away with a good reason.
 */
export const holdKinds = ['leave', 'legal', 'other'] as const;
export type HoldKind = (typeof holdKinds)[number];

/** A time-boxed stop on rungs and mails. */
export interface Hold {
  /** Its name among the holds of the identity: `h1`, `h2` and so on, never given twice. */
  readonly id: string;
  /** Absent: set before holds had kinds. Counts as `other`. */
  readonly kind?: HoldKind;
  readonly reason: string;
  readonly actor: string;
  readonly since: number;
  readonly until: number;
}

/**
 * The longest hold of each kind, milliseconds. Proceedings last longer than a leave. After that an
 * operator should review the hold.
 */
export const longestHoldMs: Readonly<Record<HoldKind, number>> = {
  leave: 1_096 * dayMs,
  other: 1_096 * dayMs,
  legal: 3_653 * dayMs,
};

/** The most holds that an identity may have at once. Limits what its workflow carries along. */
export const mostHolds = 30;

/** What an operator asks a hold to be. The values may differ from their types at run time. */
export interface HoldRequest {
  /** Epoch milliseconds. */
  readonly until: number;
  /** Absent: `other`. */
  readonly kind?: HoldKind;
}

/** @returns what is wrong with the kind, or `undefined` */
export function holdKindProblem(kind: unknown): string | undefined {
  if (kind === undefined || holdKinds.some((known) => known === kind)) return undefined;
  return `kind: is not a kind of hold. Pass one of ${holdKinds.join(', ')}`;
}

/**
 * @param count how many holds the identity has
 * @param now epoch milliseconds
 * @returns why the hold can't be set, with the field and the way out, or `undefined`
 */
export function holdProblem({ until, kind }: HoldRequest, count: number, now: number): string | undefined {
  if (!Number.isFinite(until)) return 'until: must be epoch milliseconds';
  if (until <= now) return 'until: is in the past. Pass the time at which the hold ends';
  const unknown = holdKindProblem(kind);
  if (unknown !== undefined) return unknown;
  // guard: a hold is time-boxed
  if (until - now > longestHoldMs[kind ?? 'other']) {
    const years = kind === 'legal' ? 'ten years' : 'three years (a legal hold: ten years)';
    return `until: is more than ${years} ahead. Holds are time-boxed: pass an earlier end, and hold again when it nears`;
  }
  if (count < mostHolds) return undefined;
  return `there are ${mostHolds} holds already. Release those that are no longer needed`;
}

/** The kind of a hold. Holds set before there were kinds have none. */
export function kindOfHold(hold: Hold): HoldKind {
  return hold.kind ?? 'other';
}

/** @returns the hold in force that ends last, or `undefined` */
export function governingHold(state: { readonly holds?: readonly Hold[] }, now: number): Hold | undefined {
  const inForce = (state.holds ?? []).filter(({ until }) => until > now);
  return inForce.reduce<Hold | undefined>(
    (latest, hold) => (latest === undefined || hold.until > latest.until ? hold : latest),
    undefined,
  );
}

/** Which hold a release means. */
export interface HoldChoice {
  readonly holdId?: string;
  readonly kind?: HoldKind;
}

/** The one hold that is meant, or why no single hold fits. */
export type ChosenHold = { readonly hold: Hold } | { readonly problem: string };

/**
 * A release ends exactly one hold, so that an unrelated leave stays. A legal hold is
 * ended only where its kind is named.
 */
export function chooseHold(holds: readonly Hold[], { holdId, kind }: HoldChoice): ChosenHold {
  if (holds.length === 0) return { problem: 'there is no hold to release' };
  const named = holdId === undefined ? holds : holds.filter(({ id }) => id === holdId);
  if (named.length === 0) return { problem: `holdId: there is no such hold. There are ${list(holds)}` };
  // guard: a legal hold is released only where the word is said
  const meant = named.filter((hold) =>
    kind === undefined ? kindOfHold(hold) !== 'legal' : kindOfHold(hold) === kind,
  );
  const [hold] = meant;
  if (hold === undefined) {
    return kind === undefined
      ? { problem: `kind: it is a legal hold (${list(named)}). Say kind "legal" to release it` }
      : { problem: `kind: there is no such hold of kind "${kind}". There are ${list(holds)}` };
  }
  if (meant.length > 1) return { problem: `holdId: several are meant. Name one of ${list(meant)}` };
  return { hold };
}

function list(holds: readonly Hold[]): string {
  return holds
    .map((hold) => `${hold.id} (${kindOfHold(hold)}, until ${new Date(hold.until).toISOString()})`)
    .join(', ');
}
