/**
 * Configuration of every entry point. The only file that reads `process.env`; all other files receive values. (What an operator's desk sets
 * for the command line is read by cli/environment.ts.)
 * May import only zod, Node's own modules and domain/.
 */
import { z } from 'zod';
import { url } from './config/forms.js';
import { variables } from './config/variables.js';

export { variables } from './config/variables.js';

const schema = z.object(variables);

/** The parsed configuration, one flat object in the names of the environment variables. */
export type Config = z.infer<typeof schema>;
export type VariableName = keyof typeof variables;

/**
 * Thrown when the environment is incomplete or invalid. The message names each
 * variable, its problem and the way out.
 */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
}

interface Retired {
  readonly successors: readonly VariableName[];
  readonly wayOut: string;
}

/**
 * Variables of earlier releases. One that is still set is reported, because it would
 * otherwise be ignored silently.
 */
const retiredVariables: Readonly<Record<string, Retired>> = {
  DORMOUSE_HOOK_KEYS: {
    successors: ['DORMOUSE_KRATOS_HOOK_KEYS', 'DORMOUSE_HYDRA_HOOK_KEYS', 'DORMOUSE_MAIL_HOOK_KEYS'],
    wayOut:
      'one key served Kratos, Hydra and the mail provider. Give each a key of its own in DORMOUSE_KRATOS_HOOK_KEYS, DORMOUSE_HYDRA_HOOK_KEYS and DORMOUSE_MAIL_HOOK_KEYS, then unset it',
  },
};

/** The placeholder of each secret in `.env.example`: anyone who can read this repository knows it. */
const placeholder = /replace-me/i;
const placeholderProblem =
  'still has the placeholder of .env.example. Put a random value in its place (sh deploy/create-env.sh, or: openssl rand -hex 16)';

/**
 * Reads the named variables from the environment, so that an entry point requires only what it uses.
 * @throws ConfigError naming every variable that is missing or invalid, or was
 * retired in favour of a named one.
 */
export function readConfig<Names extends VariableName>(
  names: readonly Names[],
  env: Record<string, string | undefined> = process.env,
): Pick<Config, Names> {
  const result: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const name of names) {
    const raw = env[name] === '' ? undefined : env[name];
    if (raw !== undefined && placeholder.test(raw)) {
      problems.push(`  ${name} ${placeholderProblem}. It is: ${variables[name].description}`);
      continue;
    }
    const parsed = variables[name].safeParse(raw);
    if (parsed.success) result[name] = parsed.data;
    else {
      const why =
        raw === undefined ? 'is not set' : parsed.error.issues.map((issue) => issue.message).join('; ');
      problems.push(`  ${name} ${why}. It is: ${variables[name].description}`);
    }
  }
  for (const [retired, { successors, wayOut }] of Object.entries(retiredVariables)) {
    if (env[retired] && names.some((name) => successors.includes(name)))
      problems.push(`  ${retired} is read no more: ${wayOut}.`);
  }
  if (problems.length > 0) {
    throw new ConfigError(
      `The environment is not complete:\n${problems.join('\n')}\nSet them, or run "npm start" for a complete local system.`,
    );
  }
  return result as Pick<Config, Names>;
}

/** Whether a variable is set, for what is there only where it is. */
export function isSet(name: VariableName, env: Record<string, string | undefined> = process.env): boolean {
  return env[name] !== undefined && env[name] !== '';
}

const databaseUrl = url(['postgres', 'postgresql']);

/**
 * Reads the connection URL of an app's database from the variable that a file of sources names.
 * @throws ConfigError; it never repeats the value, which may hold a password
 */
export function readDatabaseUrl(
  variable: string,
  env: Record<string, string | undefined> = process.env,
): string {
  refusePlaceholder(variable, env[variable]);
  const parsed = databaseUrl.safeParse(env[variable]);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `${variable} must be set to a connection URL, as postgres://reader:secret@host/app. A source of signs of life names it.`,
  );
}

/**
 * Reads a secret from the variable that a file names.
 * @param owner the entry of the file that names it, for the message
 * @throws ConfigError
 */
export function readSecret(
  variable: string,
  owner: string,
  env: Record<string, string | undefined> = process.env,
): string {
  const value = env[variable];
  refusePlaceholder(variable, value);
  if (value) return value;
  throw new ConfigError(`${variable} is not set. ${owner} names it.`);
}

function refusePlaceholder(variable: string, value: string | undefined): void {
  if (value !== undefined && placeholder.test(value))
    throw new ConfigError(`${variable} ${placeholderProblem}.`);
}
