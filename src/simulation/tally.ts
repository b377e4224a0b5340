/** What a simulation comes to, by day and by rung. Pure; of a fixed size, however many people are played. */
import { dayMs } from '../domain/duration.js';
import { type RungName, rungNames } from '../domain/rungs.js';
import type { CourseEnd, Deed } from '../forecast/deed.js';
import { counted as countedByPreviews, type Days } from '../preview/tally.js';
import type { Happening, Teller } from './player.js';

/** From where people come back: the harshest rung that is undone, or `notice` where only a notice was given. */
export const returnedFrom = ['notice', ...rungNames] as const;
export type ReturnedFrom = (typeof returnedFrom)[number];

/** What is counted by day. `return` is all returns, `link`, `turned-away` and `too-late` as in {@link Happening}. */
export const counted = [...countedByPreviews, 'link', 'turned-away', 'too-late'] as const;
export type Counted = (typeof counted)[number];

/** Different people, each counted once. */
export interface People {
  readonly reached: Record<RungName, number>;
  /** Of those reached by the rung, who came back after it within the simulation. */
  readonly returned: Record<ReturnedFrom, number>;
  /** Reached by any rung, or by a notice. */
  touched: number;
  /** Came back at least once. */
  back: number;
}

export class SimulationTally implements Teller {
  people = 0;
  /** One number for each day from the first. */
  readonly days: Days & Record<Counted, number[]>;
  readonly returns: Readonly<Record<ReturnedFrom, number[]>>;
  readonly persons: People = {
    reached: zeros(rungNames),
    returned: zeros(returnedFrom),
    touched: 0,
    back: 0,
  };
  readonly ends: Partial<Record<CourseEnd, number>> = {};
  private readonly reached = new Set<RungName>();
  private readonly returned = new Set<ReturnedFrom>();
  private isTouched = false;

  /** @param from when the simulation begins, epoch milliseconds. @param length whole days */
  constructor(
    readonly from: number,
    readonly length: number,
  ) {
    this.days = columns(counted, length);
    this.returns = columns(returnedFrom, length);
  }

  deed(deed: Deed): void {
    const day = this.dayOf(deed.at);
    this.isTouched = true;
    if (deed.mails > 0) this.add(this.days.mails, day);
    if (deed.kind === 'rung') {
      this.add(this.days[deed.rung], day);
      this.reached.add(deed.rung);
    }
    // A return by another policy or an exemption brings nobody back.
    if (deed.kind !== 'return' || (deed.cause !== 'activity' && deed.cause !== 'self-service')) return;
    const from = deed.undo[0] ?? 'notice';
    this.add(this.days.return, day);
    this.add(this.returns[from], day);
    this.returned.add(from);
  }

  happening({ at, what }: Happening): void {
    if (what === 'seen' || what === 'leave') return;
    this.add(this.days[what], this.dayOf(at));
    // The mail with the link.
    if (what === 'link') this.add(this.days.mails, this.dayOf(at));
  }

  /** To be called after each person. */
  closePerson(end: CourseEnd): void {
    const { persons, reached, returned } = this;
    this.people += 1;
    this.ends[end] = (this.ends[end] ?? 0) + 1;
    for (const rung of reached) persons.reached[rung] += 1;
    for (const from of returned) persons.returned[from] += 1;
    if (this.isTouched) persons.touched += 1;
    if (returned.size > 0) persons.back += 1;
    reached.clear();
    returned.clear();
    this.isTouched = false;
  }

  private dayOf(at: number): number {
    return Math.min(this.length - 1, Math.max(0, Math.floor((at - this.from) / dayMs)));
  }

  private add(days: number[], day: number): void {
    days[day] = (days[day] ?? 0) + 1;
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function columns<Name extends string>(names: readonly Name[], length: number): Record<Name, number[]> {
  return Object.fromEntries(names.map((name) => [name, new Array<number>(length).fill(0)])) as Record<
    Name,
    number[]
  >;
}
