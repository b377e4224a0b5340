/** The policy's section `absence`: when an identity that Kratos does not know any more is taken for deleted. Pure. */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { duration } from './duration.js';

export const absenceSection = z
  .strictObject({
    /** Looks that must not find it, each with a control that it is the same Kratos as before. */
    looks: z.int().min(2, 'must be 2 at least').max(50, 'must be 50 at most').default(3),
    /** Least time between the first and the last of them. */
    over: duration.default(dayMs),
    /** From then until everything that is known of it is forgotten. */
    grace: duration.default(30 * dayMs),
  })
  .prefault({});
