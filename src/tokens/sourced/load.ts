/** Loads the tables of tokens that the environment names. Node only. */
import { readFile } from 'node:fs/promises';
import { ConfigError, readDatabaseUrl } from '../../config.js';
import { parseTokenSourceFile, type TokenSource } from './source-file.js';

/** A source with the connection URL from its environment variable. */
export interface ConnectedTokenSource {
  readonly source: TokenSource;
  readonly connectionUrl: string;
}

/**
 * @param file value of DORMOUSE_TOKEN_SOURCES_FILE
 * @throws ConfigError where the file can't be read, is invalid, or names a variable that is not set
 */
export async function loadTokenSources(file: string): Promise<ConnectedTokenSource[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`DORMOUSE_TOKEN_SOURCES_FILE: ${file} can't be read`, { cause: error });
  });
  return parseTokenSourceFile(text, file).map((source) => ({
    source,
    connectionUrl: readDatabaseUrl(source.connectionUrlVariable),
  }));
}
