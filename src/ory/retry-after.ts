/** `Retry-After` of an answer (RFC 9110 §10.2.3). */

/** Nobody is believed who wants to be left alone for longer. */
const longestMs = 3_600_000;

/** @returns milliseconds; `undefined` where there is none. The rare date form is ignored in favour of the back-off. */
export function retryAfterMs(header: unknown): number | undefined {
  const seconds = typeof header === 'string' ? Number.parseInt(header, 10) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, longestMs) : undefined;
}
