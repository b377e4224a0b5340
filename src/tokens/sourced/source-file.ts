/**
 * Reads the file that names apps' own tables of tokens: YAML in, checked sources out. Errors include the way out. Pure.
 */
import { z } from 'zod';
import { namesAreUnique } from '../../config/app-databases.js';
import { dayMs, secondMs } from '../../domain/duration.js';
import { tokenTypePattern, usualType } from '../../domain/tokens/personal-policy.js';
import { parseYamlFile } from '../../process/yaml-file.js';
import { boundedDuration } from '../../sources/source-file.js';

/** One statement with the one parameter $1. */
const statement = (beginning: RegExp, form: string) =>
  z
    .string()
    .min(1)
    .max(10_000)
    .refine((text) => beginning.test(text), `must be one ${form}`)
    .refine((text) => !text.includes(';'), 'must be one statement without semicolon')
    .refine((text) => /\$1(?!\d)/.test(text), 'must use its parameter $1')
    .refine((text) => !/\$([02-9]|1\d)/.test(text), 'has no other parameter than $1');

const sourceSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'takes lower-case letters, digits and -, 32 at most'),
  /** Name of the environment variable, so that the file holds no password. */
  connectionUrlVariable: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'takes the name of an environment variable, never the URL itself'),
  /** The type in the policy's section `tokens.personal` that its tokens are of. */
  type: z.string().regex(tokenTypePattern, 'is not a type of a policy').default(usualType),
  /** The published policy. Absent: the installation's. */
  policy: z.string().min(1).max(64).optional(),
  /** Live tokens that nobody used since $1: id, identity_id, created_at, last_used_at and perhaps expires_at. */
  select: statement(/^\s*(select|with)\b/i, 'SELECT'),
  /** Revokes the ids $1. */
  revoke: statement(/^\s*(update|delete|with)\b/i, 'UPDATE or DELETE'),
  every: boundedDuration(60 * secondMs, 7 * dayMs, '1m to 7d').prefault('1h'),
  statementTimeout: boundedDuration(secondMs, 45 * secondMs, '1s to 45s').prefault('20s'),
});

const fileSchema = z.strictObject({
  sources: z.array(sourceSchema).max(50).superRefine(namesAreUnique),
});

/** One app's table of tokens. Durations in milliseconds. */
export type TokenSource = z.output<typeof sourceSchema>;

/**
 * @param text the file's content
 * @param file its name, for messages
 * @throws ConfigError with every problem, its line and the way out
 */
export function parseTokenSourceFile(text: string, file: string): TokenSource[] {
  return parseYamlFile(fileSchema, text, file).sources;
}
