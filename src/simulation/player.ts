/** Who is simulated, and what may happen to them from outside. Types only. */
import type { SignKind } from '../domain/sign-of-life.js';
import type { Deed } from '../forecast/deed.js';
import type { Life } from '../forecast/walk.js';
import type { Random } from './random.js';

/**
 * When the person shows up next. Times in epoch milliseconds.
 * @param now that time is after it
 * @returns `Infinity`: never again
 */
export type Habit = (now: number, lastSeenAt: number) => number;

/** An operator notes a leave, in which the person does not show up. Epoch milliseconds. */
export interface Leave {
  readonly from: number;
  readonly until: number;
}

export interface Player {
  readonly life: Life;
  readonly habit: Habit;
  /** The kind of the person's signs of life. */
  readonly kind: SignKind;
  readonly lastSeenAt: number;
  /** In the order of time, and none within another. */
  readonly leaves: readonly Leave[];
  readonly random: Random;
}

/**
 * What comes from outside. `turned-away`: the person shows up at a deactivated account and only an operator may bring
 * them back; `too-late`: the account is deleted. `link`: they come back by the link in a mail.
 */
export interface Happening {
  readonly at: number;
  readonly what: 'seen' | 'leave' | 'link' | 'turned-away' | 'too-late';
  /** Of a leave. */
  readonly until?: number;
}

export interface Teller {
  deed(deed: Deed): void;
  /** Signs of life that change nothing but the clock are told as well. */
  happening(happening: Happening): void;
}

/** Who comes back because of a mail. */
export interface Response {
  /** The part of the notices that bring the person back, from 0 to 1. */
  readonly share: number;
}
