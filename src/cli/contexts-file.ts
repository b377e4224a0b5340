/**
 * The file of contexts: the installations that an operator works with, each with its gateway and credential. Only its owner may read it,
 * and it is replaced as a whole, so that a command that dies half-way leaves the earlier one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { CliError, exitCodes, UsageError } from './exit-codes.js';

/** What an issuer gave at a sign-in. Times in epoch milliseconds. */
const signInSchema = z.object({
  issuer: z.string(),
  clientId: z.string(),
  accessToken: z.string(),
  /** By which another access token is had without a person. */
  refreshToken: z.string().optional(),
  expiresAt: z.number(),
});
export type SignIn = z.output<typeof signInSchema>;

const contextSchema = z.object({
  /** The operators' address of the gateway. */
  gateway: z.string(),
  token: z.string().optional(),
  signIn: signInSchema.optional(),
});
export type Context = z.output<typeof contextSchema>;

const contextsSchema = z.object({
  current: z.string().optional(),
  contexts: z.record(z.string(), contextSchema),
});
export type Contexts = z.output<typeof contextsSchema>;

/** The XDG Base Directory Specification: a relative path is to be ignored. */
export function contextsPath(environment: Readonly<Record<string, string | undefined>>): string {
  const configured = environment.XDG_CONFIG_HOME ?? '';
  const base = isAbsolute(configured) ? configured : join(homedir(), '.config');
  return join(base, 'dormouse', 'contexts.json');
}

/** @returns none where there is no file yet. @throws CliError where others may read it, or it is no such file */
export async function readContexts(path: string): Promise<Contexts> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new CliError(
        `${path}: others may read it, and it holds credentials. Write: chmod 600 ${path}, and replace the credentials in it`,
        exitCodes.notAllowed,
      );
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { contexts: {} };
    throw error;
  }
  return parsed(text, path);
}

/** @param change makes the new contexts of those that the file has now */
export async function changeContexts(path: string, change: (contexts: Contexts) => Contexts): Promise<void> {
  const changed = change(await readContexts(path));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  // guard: command line: others may not read the credentials
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(changed, undefined, 2)}\n`);
    await file.sync();
    await file.close();
    await rename(fresh, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(fresh, { force: true });
    throw error;
  }
}

/** @throws UsageError */
export function checkedContextName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name) && name !== '__proto__') return name;
  throw new UsageError(
    '--context: takes letters, digits, ".", "-" and "_", 64 at most. Write it as production or staging-eu',
  );
}

/** The message never repeats what the file holds. */
function parsed(text: string, path: string): Contexts {
  try {
    return contextsSchema.parse(JSON.parse(text));
  } catch {
    throw new CliError(
      `${path}: is no file of contexts. Remove it, and sign in again: dormouse login --gateway URL`,
      exitCodes.refused,
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
