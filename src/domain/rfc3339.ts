/** Times as Dormouse writes them for the outside: RFC 3339, in UTC. Pure. */

/** @param at epoch milliseconds. @returns as `2026-01-31T00:00:00.000Z` */
export function rfc3339(at: number): string {
  return new Date(at).toISOString();
}
