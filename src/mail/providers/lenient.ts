/**
 * Fields of a provider's event that may be missing. A provider that sends one in another form (null, a number for a
 * text) still reports a bounce, and the rest of the report tells which. Pure.
 */
import { z } from 'zod';

/** @returns the field, or `undefined` for anything that is not of the form */
export function lenient<T extends z.ZodType>(form: T) {
  return form.optional().catch(undefined);
}

/** A time in seconds since 1970, as a number or as digits. @returns epoch milliseconds */
export const lenientSeconds = lenient(
  z
    .union([z.number(), z.string().regex(/^\d{1,12}(?:\.\d+)?$/u)])
    .transform(Number)
    .pipe(z.number().min(0).max(8_640_000_000_000))
    .transform((seconds) => Math.floor(seconds * 1_000)),
);
