/**
 * The policy's section `breaker`: how many destructive acts are normal. Defaults
 * apply where it is left out. Pure.
 */
import { z } from 'zod';
import { dayMs } from '../duration.js';
import { duration } from './duration.js';

const limit = (atMost: number, percent: number) =>
  z
    .strictObject({
      /** Acts within the window. `none`: only the percentage limits, and grows with the installation. */
      atMost: z
        .union([z.int().min(1), z.literal('none')], { error: 'must be a whole number above 0, or "none"' })
        .default(atMost),
      /** Of the identities that have a lifecycle and are not deleted. */
      percent: z.number().gt(0, 'must be above 0').max(100, 'must be 100 at most').exactOptional(),
    })
    .refine(({ atMost: acts, percent: given }) => acts !== 'none' || given !== undefined, {
      path: ['percent'],
      error:
        'must be written where "atMost" is "none": the default is a ceiling for small installations, not a limit for large ones',
    })
    .transform(({ atMost: acts, percent: given = percent }) => ({ atMost: acts, percent: given }))
    .prefault({});

const stall = z.strictObject({
  window: duration.default(dayMs),
  baseline: duration.default(14 * dayMs),
  /** Percent of the quietest window of the baseline. */
  below: z.number().gt(0, 'must be above 0').max(100, 'must be 100 at most').default(20),
});

export const breakerSection = z
  .strictObject({
    window: duration.default(dayMs),
    limits: z
      .strictObject({
        revoke: limit(500, 20),
        deactivate: limit(250, 10),
        delete: limit(100, 5),
        bury: limit(100, 5),
        endPersonal: limit(500, 20),
        endRefresh: limit(1_000, 20),
      })
      .prefault({}),
    /** The percentage never allows fewer acts than this. */
    percentFrom: z.int().min(1).default(5),
    release: z.strictObject({ operators: z.union([z.literal(1), z.literal(2)]).default(1) }).prefault({}),
    stall: z
      .union([z.literal('off'), stall], {
        error: 'write "off", or the fields window, baseline and below',
      })
      .prefault({}),
    clockTolerance: duration.default(5 * 60_000),
  })
  .prefault({});
