/** How much of the harness runs: all of it by `npm run test:faults`, a sample with all other tests. Reads the environment. */
import { createHash } from 'node:crypto';

export const isFull = process.env.DORMOUSE_FAULTS === 'full';

/** @returns the figure of this form; `name` in the environment overrules it (`DORMOUSE_FAULTS_PEOPLE=200`) */
export function sized(name: string, full: number, short: number): number {
  const wanted = Number(process.env[name]);
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  return isFull ? full : short;
}

/** A share of the cases: `DORMOUSE_FAULTS_SHARD=2/4` is the second of four. */
export interface Share {
  readonly nth: number;
  readonly of: number;
}

export const share = readShare(process.env.DORMOUSE_FAULTS_SHARD);

/** @throws Error for a text that names no share */
export function readShare(text: string | undefined): Share | undefined {
  if (text === undefined || text === '') return undefined;
  const [nth = 0, of = 0] = /^\d{1,3}\/\d{1,3}$/.test(text) ? text.split('/').map(Number) : [];
  if (nth >= 1 && nth <= of) return { nth, of };
  throw new Error('DORMOUSE_FAULTS_SHARD: must be a share, as 2/4 for the second of four');
}

/** By their names, so that each case is in one share, though the list as a whole varies a little from run to run. */
export function inShare<T>(items: readonly T[], { nth, of }: Share, nameOf: (item: T) => string): T[] {
  const placeOf = (item: T) => createHash('sha256').update(nameOf(item)).digest().readUInt32BE(0) % of;
  return items.filter((item) => placeOf(item) === nth - 1);
}

/** As few parties as hold the items, all of nearly the same size. */
export function inParties<T>(items: readonly T[], atMost: number): T[][] {
  const parties = Math.ceil(items.length / atMost);
  return Array.from({ length: parties }, (_none, nth) =>
    items.slice(Math.floor((nth * items.length) / parties), Math.floor(((nth + 1) * items.length) / parties)),
  );
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
