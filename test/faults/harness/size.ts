/** How much of the harness runs: all of it by `npm run test:faults`, a sample with all other tests. Reads the environment. */
import { createHash } from 'node:crypto';

export const isFull = process.env.DORMOUSE_FAULTS === 'full';

/** @returns the figure of this form; `name` in the environment overrules it (`DORMOUSE_FAULTS_PEOPLE=200`) */
export function sized(name: string, full: number, short: number): number {
  const wanted = Number(process.env[name]);
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  return isFull ? full : short;
}

/** At most `count` of the items, evenly spread, so that a sample holds something of everything. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_none, index) => items[Math.floor((index * items.length) / count)],
  ).flatMap((item) => (item === undefined ? [] : [item]));
}

/**
 * At most `count` of the items, chosen by their names: nearly the same ones in each run, though the list as a whole is found
 * anew each time and varies a little.
 */
export function chosen<T>(items: readonly T[], count: number, nameOf: (item: T) => string): T[] {
  if (items.length <= count) return [...items];
  const rankOf = (item: T) => createHash('sha256').update(nameOf(item)).digest('hex');
  const ranked = items.map((item) => ({ item, rank: rankOf(item) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, count).map(({ item }) => item);
}
