/** Loads the tables of tokens that the environment names. Node only. */
import { type Connected, loadConnected } from '../../config/app-databases.js';
import { parseTokenSourceFile, type TokenSource } from './source-file.js';

export type ConnectedTokenSource = Connected<TokenSource>;

/**
 * @param file value of DORMOUSE_TOKEN_SOURCES_FILE
 * @throws ConfigError
 */
export function loadTokenSources(file: string): Promise<ConnectedTokenSource[]> {
  return loadConnected('DORMOUSE_TOKEN_SOURCES_FILE', file, parseTokenSourceFile);
}
