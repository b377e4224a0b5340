/**
 * Reads the file that names an app's audit tables: YAML in, checked sources out.
 * Errors include the way out. Pure.
 */
import { z } from 'zod';
import { namesAreUnique } from '../config/app-databases.js';
import { dayMs, parseDuration, secondMs } from '../domain/duration.js';
import { signKinds } from '../domain/sign-of-life.js';
import { parseYamlFile } from '../process/yaml-file.js';
import { problemOfEventType } from './event-types.js';

/** A duration between two bounds, in milliseconds. */
export function boundedDuration(shortestMs: number, longestMs: number, limits: string) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= shortestMs && ms <= longestMs) return ms;
    context.addIssue({ code: 'custom', message: `takes a duration from ${limits}, as 90s, 5m or 2h` });
    return z.NEVER;
  });
}

const identifier = z
  .string()
  .min(1)
  .max(63)
  // PostgreSQL allows every other character in a quoted identifier.
  .refine((name) => !name.includes('\0'), 'is not a name');

const eventType = z.string().superRefine((name, context) => {
  const problem = problemOfEventType(name);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const query = z
  .string()
  .min(1)
  .refine((text) => /^\s*(select|with)\b/i.test(text), 'must be one SELECT')
  .refine((text) => !text.includes(';'), 'must be one statement without semicolon');

const sourceSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'takes lower-case letters, digits and -, 32 at most'),
    /** Name of the environment variable, so that the file holds no password. */
    connectionUrlVariable: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/, 'takes the name of an environment variable, never the URL itself'),
    table: z
      .string()
      .transform((text) => text.split('.'))
      .pipe(z.array(identifier).min(1).max(2, 'takes table, or schema.table'))
      .optional(),
    query: query.optional(),
    columns: z
      .strictObject({
        identityId: identifier.default('identity_id'),
        createdAt: identifier.default('created_at'),
        eventType: identifier.default('event_type'),
      })
      .prefault({}),
    eventTypes: z
      .array(eventType)
      .min(1, 'takes the event types that show a person or token at work')
      .max(100),
    kind: z.enum(signKinds),
    pollEvery: boundedDuration(10 * secondMs, dayMs, '10s to 1d').prefault('1m'),
    overlap: boundedDuration(secondMs, dayMs, '1s to 1d').prefault('1m'),
    lookBack: boundedDuration(dayMs, 3_650 * dayMs, '1d to 3650d').prefault('730d'),
    statementTimeout: boundedDuration(secondMs, 45 * secondMs, '1s to 45s').prefault('20s'),
  })
  .refine((source) => (source.table === undefined) !== (source.query === undefined), {
    message: 'needs either "table" or "query"',
  });

const fileSchema = z.strictObject({
  sources: z.array(sourceSchema).superRefine(namesAreUnique),
});

/** One audit table of an app, and how it is read. Durations in milliseconds. */
export type SignSource = z.output<typeof sourceSchema>;

/**
 * @param text the file's content
 * @param file its name, for messages
 * @throws ConfigError with every problem, its line and the way out
 */
export function parseSourceFile(text: string, file: string): SignSource[] {
  return parseYamlFile(fileSchema, text, file).sources;
}
