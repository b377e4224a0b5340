/** Reads the issuers of operators at the start of a gateway. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config.js';
import { OperatorTokens } from './operator-tokens.js';
import { type OperatorsIssuer, parseOperatorsFile } from './operators-file.js';

export interface Operators {
  readonly issuers: readonly OperatorsIssuer[];
  readonly tokens: OperatorTokens;
  /** The secrets of the desk's confidential clients, by the issuer's alias. */
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * @param file DORMOUSE_OPERATORS_FILE
 * @param onError told where an issuer's keys can't be had
 * @returns `undefined`: nobody signs in by OIDC
 * @throws ConfigError
 */
export async function loadOperators(
  file: string | undefined,
  onError: (error: unknown) => void,
): Promise<Operators | undefined> {
  if (file === undefined) return undefined;
  const issuers = parseOperatorsFile(await read('DORMOUSE_OPERATORS_FILE', file), file);
  const secrets = new Map<string, string>();
  for (const { alias, desk } of issuers) {
    if (desk?.secretFile === undefined) continue;
    const secret = (await read(`desk.secretFile of the issuer "${alias}"`, desk.secretFile)).trim();
    if (secret === '') throw new ConfigError(`${desk.secretFile}: is empty. It takes the client's secret.`);
    secrets.set(alias, secret);
  }
  return { issuers, tokens: new OperatorTokens(issuers, onError), secrets };
}

async function read(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${what} names ${file}, which can't be read.`, { cause: error });
  }
}
