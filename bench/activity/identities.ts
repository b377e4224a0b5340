/** Identity ids that are the same in every run. */

/** @returns a UUID (version 4 by its form) for a rank */
export function v4Of(rank: number): string {
  // Multiplied by an odd constant, so that neighbouring ranks do not share an index page.
  const hex = (Math.imul(rank + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  return `${hex}-0000-4000-8000-${rank.toString(16).padStart(12, '0')}`;
}
