/**
 * The event types that may count as signs of life. An allow-list; names that sound
 * like a failure are refused. Pure.
 */

const failing = /fail|denied|invalid|reject|refus|unsuccess|unauthori[sz]|incorrect|forbidden|error/i;
const failingWords = new Set([
  'attempt',
  'attempts',
  'attempted',
  'blocked',
  'lockout',
  'wrong',
  'bad',
  'deny',
]);
const exactName = /^[\p{L}\p{N}][\p{L}\p{N} ._:/-]{0,99}$/u;

/** @returns what is wrong with an event type and the way out; `undefined` when it may count */
export function problemOfEventType(eventType: string): string | undefined {
  if (!exactName.test(eventType)) {
    return 'is not the exact name of an event type. Write each out; patterns and wildcards are not offered';
  }
  if (failing.test(eventType) || words(eventType).some((word) => failingWords.has(word))) {
    return 'sounds like something that failed, and a failed sign-in is no sign of life. List events that succeeded only; where the name misleads, rename it in a "query"';
  }
  return undefined;
}

/** Splits `LoginAttempt`, `login_attempt` and `login.attempt` into the same words. */
function words(eventType: string): string[] {
  return eventType
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
}
