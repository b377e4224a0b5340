/**
 * How long people stay away, estimated from how long ago everybody was seen last. Dormouse keeps the latest sign of life of
 * each identity and no earlier ones, so there is no series to learn from. In a population whose habits stay the same, the
 * number of people last seen d days ago is in proportion to the number of absences that last d days at least (renewal
 * theory: the density of the backward recurrence time is S(d) / mean). That number never grows with d, so the counts are
 * pooled until they do not (pool adjacent violators: the Grenander estimator). Pure.
 */
import { dayMs } from '../domain/duration.js';
import type { Random } from './random.js';

export class Gaps {
  /**
   * @param survival the share of absences that last that many days at least, from day 0 (which is 1). Longer ones than
   * the last day never end
   * @param people of how many people it was estimated
   */
  constructor(
    readonly survival: readonly number[],
    readonly people: number,
  ) {}

  /** @param days whole days. @returns the share of absences that last so long at least */
  lastingAtLeast(days: number): number {
    const { survival } = this;
    return survival[Math.min(days, survival.length - 1)] ?? 1;
  }

  /**
   * Draws how long an absence lasts that has lasted `awayMs` already.
   * @returns milliseconds from its beginning; `Infinity`: it never ends
   */
  draw(awayMs: number, random: Random): number {
    const away = awayMs / dayMs;
    const level = this.lastingAtLeast(Math.floor(away)) * (1 - random());
    const day = this.firstBelow(level, Math.floor(away) + 1);
    if (day === undefined) return Number.POSITIVE_INFINITY;
    const begin = Math.max(away, day - 1);
    return (begin + (day - begin) * random()) * dayMs;
  }

  private firstBelow(level: number, from: number): number | undefined {
    const { survival } = this;
    let [low, high] = [from, survival.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((survival[middle] ?? 0) < level) high = middle;
      else low = middle + 1;
    }
    return low < survival.length ? low : undefined;
  }
}

/**
 * Nobody is known to be away longer than the longest absence, so few absences last longer: their share falls evenly, to none
 * at twice that time. Where people are deleted about then, longer absences are not seen because nobody is left to be
 * seen: those never end.
 * @param lastSeen how many people were seen last that many days ago, from day 0
 * @param deletedAfter days after which people are deleted; absent: nobody is
 */
export function gapsOf(lastSeen: readonly number[], deletedAfter = Number.POSITIVE_INFINITY): Gaps {
  const people = lastSeen.reduce((sum, count) => sum + count, 0);
  const pooled = neverGrowing(lastSeen);
  const [first = 0] = pooled;
  if (first === 0) return new Gaps([1], people);
  const survival = pooled.map((count) => count / first);
  const oldest = survival.length;
  if (oldest >= 0.9 * deletedAfter) return new Gaps(survival, people);
  const last = survival.at(-1) ?? 0;
  const tail = Array.from({ length: oldest }, (_, index) => (last * (oldest - index - 1)) / oldest);
  return new Gaps([...survival, ...tail], people);
}

/** Least squares under the condition that no value is greater than the one before it. */
function neverGrowing(values: readonly number[]): number[] {
  const blocks: { sum: number; length: number }[] = [];
  for (const value of values) {
    let block = { sum: value, length: 1 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.sum / last.length >= block.sum / block.length) break;
      blocks.pop();
      block = { sum: last.sum + block.sum, length: last.length + block.length };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ sum, length }) => new Array<number>(length).fill(sum / length));
}
