/** This release, and the comparison of releases. */
import { createRequire } from 'node:module';
import { z } from 'zod';

const releasePattern = /^\d{1,9}\.\d{1,9}\.\d{1,9}$/;

const require = createRequire(import.meta.url);

/** The version of this package: `0.1.0`. */
export const release: string = z
  .object({ version: z.string().regex(releasePattern) })
  .parse(require('../../package.json')).version;

/** @returns less than 0 where `one` is older than `other` */
export function compareReleases(one: string, other: string): number {
  const [first, second] = [one, other].map((text) => text.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (first?.[index] ?? 0) - (second?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
