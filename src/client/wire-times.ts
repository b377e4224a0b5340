/** Times in the gateway's answers: RFC 3339 on the way, epoch milliseconds in the client's interface. */

/** Fields that hold a time, wherever they are in an answer. */
const times = new Set([
  ...['at', 'dueAt', 'endedAt', 'inactiveSince', 'lastActiveAt', 'nextEndAt', 'reviewAt', 'revokedBefore'],
  ...['setAt', 'since', 'until'],
]);
/** Fields whose members are times. */
const groups = new Set(['activity', 'completed', 'skipped']);

/** Thrown where a time can't be read: it must not pass for none. */
export class UnreadableTimeError extends Error {
  override readonly name = 'UnreadableTimeError';
}

/**
 * The answer with its times in epoch milliseconds. Numbers, which earlier gateways send, stay.
 * @throws UnreadableTimeError
 */
export function withEpochTimes(answer: unknown): unknown {
  return converted(answer, () => false);
}

function converted(value: unknown, isTime: (name: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => withEpochTimes(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (typeof member === 'string' && (times.has(name) || isTime(name))) return [name, epochOf(member)];
      return [name, converted(member, () => groups.has(name))];
    }),
  );
}

function epochOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new UnreadableTimeError('a time in the answer is not one of RFC 3339');
}
