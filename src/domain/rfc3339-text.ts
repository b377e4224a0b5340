/** Times as the outside writes them: RFC 3339 with any offset. Pure. */
import { z } from 'zod';

/**
 * Refuses impossible dates, times without a zone, and other forms.
 * @returns a schema of the text; its time is `Date.parse(text)`
 */
export function rfc3339Text(error: string) {
  return z.iso.datetime({ offset: true, error });
}
