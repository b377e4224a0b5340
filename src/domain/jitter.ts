/**
 * Deterministic jitter: spreads the deadlines of many identities. The deadline of one identity is the
 * same in every computation. Pure.
 */

/** FNV-1a, 32 bits: short and stable across platforms. Not for secrets. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  // One round of mixing: without it, the high bits of neighbouring UUIDs would be close to each other.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return hash >>> 0;
}

/**
 * @returns a delay in `[0, spreadMs)`, the same for the same identity and rung,
 * always later and never earlier
 */
export function jitterFor(identityId: string, rung: string, spreadMs: number): number {
  if (spreadMs <= 0) return 0;
  return Math.floor((fnv1a(`${identityId}/${rung}`) / 0x1_0000_0000) * spreadMs);
}
