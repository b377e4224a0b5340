/** The policy's section `absence`: when an identity that Kratos no longer knows counts as deleted. Pure. */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { duration } from './duration.js';

export const absenceSection = z
  .strictObject({
    /**
     * Number of looks that must not find the identity, each with a control that
     * it is the same Kratos as before.
     */
    looks: z.int().min(2, 'must be 2 at least').max(50, 'must be 50 at most').default(3),
    /** Least time between the first and the last look. */
    over: duration.default(dayMs),
    /** Time from then until everything known of the identity is forgotten. */
    grace: duration.default(30 * dayMs),
  })
  .prefault({});
