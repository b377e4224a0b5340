/** The master keys that wrap identities' data keys: one, or two during a rotation. */
import { createHash, randomBytes } from 'node:crypto';
import { ConfigError } from '../config.js';
import { dataKeyBytes } from './sealing.js';

const variable = 'DORMOUSE_DATA_KEY';

export interface MasterKey {
  /** The beginning of the key's hash. */
  readonly id: string;
  readonly key: Buffer;
}

export interface MasterKeys {
  /** Used for wrapping. */
  readonly current: MasterKey;
  /** Used for unwrapping. */
  readonly all: readonly MasterKey[];
}

/**
 * @param text one key of 32 bytes in base64 or base64url, or two (comma-separated): the new one first
 * @throws ConfigError; it never repeats the text
 */
export function parseMasterKeys(text: string): MasterKeys {
  const all = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseMasterKey);
  const [current] = all;
  if (current === undefined || all.length > 2) {
    throw new ConfigError(`${variable} takes one key, or two (comma-separated, the new one first)`);
  }
  return { current, all };
}

export function generateMasterKey(): string {
  return randomBytes(dataKeyBytes).toString('base64url');
}

function parseMasterKey(text: string): MasterKey {
  const key = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text) || key.length !== dataKeyBytes) {
    throw new ConfigError(
      `${variable} takes ${dataKeyBytes} bytes in base64. Make a key with: dormouse keys generate`,
    );
  }
  const id = createHash('sha256').update('dormouse/data-key\n').update(key).digest('hex').slice(0, 16);
  return { id, key };
}
