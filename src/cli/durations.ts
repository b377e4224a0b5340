/** Durations as flags of the command line. */
import { parseDuration } from '../domain/duration.js';
import { UsageError } from './exit-codes.js';

/** @returns milliseconds. @throws UsageError naming the flag, the problem and the way out */
export function durationFlag(flag: string, text: string): number {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  throw new UsageError(`${flag}: "${text}" is not a duration. Write it as 90d or 12h`);
}

/** @returns the time that lies this far in the future, epoch milliseconds */
export function inFuture(flag: string, text: string): number {
  return Date.now() + durationFlag(flag, text);
}
