/** Loads the sources that the environment names. Node only. */
import { type Connected, loadConnected } from '../config/app-databases.js';
import { parseSourceFile, type SignSource } from './source-file.js';

export type ConnectedSource = Connected<SignSource>;

/**
 * @param file value of DORMOUSE_ACTIVITY_SOURCES_FILE
 * @throws ConfigError
 */
export function loadSources(file: string): Promise<ConnectedSource[]> {
  return loadConnected('DORMOUSE_ACTIVITY_SOURCES_FILE', file, parseSourceFile);
}
