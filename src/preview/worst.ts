/** The people whom a page shows: those who move earlier, furthest first; then those who move later. Bounded. Pure. */
import type { Comparison } from './comparison.js';

/** More rows make a page that browsers are slow at. */
export const mostShown = 2_000;

export class Worst {
  private kept: Comparison[] = [];

  add(person: Comparison): void {
    if (person.move === 'same') return;
    this.kept.push(person);
    if (this.kept.length >= 2 * mostShown) this.kept = this.sorted;
  }

  get sorted(): Comparison[] {
    return [...this.kept].sort(byHarshness).slice(0, mostShown);
  }
}

/** A rung that is new has no number of days, and comes first. */
function byHarshness(one: Comparison, other: Comparison): number {
  if (one.move !== other.move) return one.move === 'earlier' ? -1 : 1;
  const days = (person: Comparison) => person.days ?? Number.MAX_SAFE_INTEGER;
  return days(other) - days(one) || (one.identityId < other.identityId ? -1 : 1);
}
