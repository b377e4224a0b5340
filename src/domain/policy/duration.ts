/** How a policy file writes durations. Pure. */
import { z } from 'zod';
import { dayMs, parseDuration } from '../duration.js';

/** Longer durations are a mistake, and their dates can't be written down. */
const longestDurationMs = 36_525 * dayMs;
export const durationForm = 'Write a whole number and a unit: 30d, 12h, 15m, 30s or 2w';

/** A duration of a policy file: `30d` in, milliseconds out. */
export const duration = z
  .string({
    error: ({ input }) => (input === undefined ? undefined : `is not a duration. ${durationForm}`),
  })
  .transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed !== undefined && parsed > 0 && parsed <= longestDurationMs) return parsed;
    const tooLong = parsed !== undefined && parsed > longestDurationMs;
    const message = tooLong
      ? `"${text}" is longer than a hundred years. Shorten it, or leave the rung out`
      : `"${text}" is not a duration. ${durationForm}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
