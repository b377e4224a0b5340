/** Loads the sources that the environment names. Node only. */
import { readFile } from 'node:fs/promises';
import { ConfigError, readDatabaseUrl } from '../config.js';
import { type ActivitySource, parseSourceFile } from './source-file.js';

/** A source with the connection URL from its environment variable. */
export interface ConnectedSource {
  readonly source: ActivitySource;
  readonly connectionUrl: string;
}

/**
 * @param file value of DORMOUSE_ACTIVITY_SOURCES_FILE
 * @throws ConfigError where the file can't be read, is invalid, or names a variable that is not set
 */
export async function loadSources(file: string): Promise<ConnectedSource[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`DORMOUSE_ACTIVITY_SOURCES_FILE: ${file} can't be read`, { cause: error });
  });
  return parseSourceFile(text, file).map((source) => ({
    source,
    connectionUrl: readDatabaseUrl(source.connectionUrlVariable),
  }));
}
