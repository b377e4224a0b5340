/** Reads the issuers of operators at the start of a gateway. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config.js';
import { OperatorTokens } from './operator-tokens.js';
import { parseOperatorsFile } from './operators-file.js';

/**
 * @param file DORMOUSE_OPERATORS_FILE
 * @param onError told where an issuer's keys can't be had
 * @returns `undefined`: nobody signs in by OIDC
 * @throws ConfigError
 */
export async function loadOperators(
  file: string | undefined,
  onError: (error: unknown) => void,
): Promise<OperatorTokens | undefined> {
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`DORMOUSE_OPERATORS_FILE names ${file}, which can't be read.`, { cause: error });
  }
  return new OperatorTokens(parseOperatorsFile(text, file), onError);
}
