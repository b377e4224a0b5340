/** The policy's section `deletion`: which parts the rung `delete` has. Pure. */
import { z } from 'zod';
import { duration } from './duration.js';

/** Names of a task queue and of an activity type: the characters that Temporal takes, at most one line. */
const temporalName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, 'takes letters, digits and . _ : / -, 100 at most');

/** `{id}` in it stands for the identity's UUID. */
export type TraitsTemplate = Readonly<Record<string, unknown>>;

export const deletionSection = z
  .strictObject({
    /** Least time between deactivation and deletion, however late the deactivation came. */
    coolDown: duration.optional(),
    /** `anonymise` keeps the identity as an empty, disabled shell, for other systems that refer to its id. */
    action: z.enum(['delete', 'anonymise']).default('delete'),
    /** The traits of the shell. They must fit the identity schema. `{id}` becomes the identity's UUID. */
    anonymousTraits: z.record(z.string(), z.unknown()).optional(),
    /** An activity of the app that keeps the data that must be kept. Deletion waits for it. */
    export: z.strictObject({ taskQueue: temporalName, activity: temporalName, timeout: duration }).optional(),
    /** How long a deleted identifier can't be registered again. */
    refuseIdentifiersFor: duration.optional(),
  })
  .prefault({});
