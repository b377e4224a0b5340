/** Files that name databases of other apps: each entry has a name of its own and a variable with the connection URL. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError, readDatabaseUrl } from '../config.js';

/** An entry with the connection URL from its environment variable. */
export interface Connected<Source> {
  readonly source: Source;
  readonly connectionUrl: string;
}

/**
 * @param variable the environment variable that names the file
 * @throws ConfigError where the file can't be read, is invalid, or names a variable that is not set
 */
export async function loadConnected<Source extends { readonly connectionUrlVariable: string }>(
  variable: string,
  file: string,
  parse: (text: string, file: string) => readonly Source[],
): Promise<Connected<Source>[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`${variable}: ${file} can't be read`, { cause: error });
  });
  return parse(text, file).map((source) => ({
    source,
    connectionUrl: readDatabaseUrl(source.connectionUrlVariable),
  }));
}

/** A refinement of a list of entries: two of one name would share a schedule and a position. */
export function namesAreUnique(
  sources: readonly { readonly name: string }[],
  context: z.core.$RefinementCtx,
): void {
  const names = sources.map(({ name }) => name);
  names.forEach((name, index) => {
    if (names.indexOf(name) === index) return;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is taken by another source' });
  });
}
