/** Loads the Shared Signals settings of the environment. Node only. */
import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, readSecret } from '../config.js';
import { type PrivateSigningKey, parseKeys, type SigningKey, signingKeyOf } from '../keys/signing-keys.js';
import { type EventReceiver, type EventStreams, parseReceiversFile } from './receivers-file.js';

export const securityEventVariables = [
  'DORMOUSE_SHARED_SIGNALS_FILE',
  'DORMOUSE_SHARED_SIGNALS_KEY',
] as const;
export type EventConfig = Pick<Config, (typeof securityEventVariables)[number]>;
const keyVariable = 'DORMOUSE_SHARED_SIGNALS_KEY';

/** A receiver with the value of its environment variable. */
export interface ConnectedReceiver extends EventReceiver {
  readonly authorization?: string;
}

/** What gateways publish. */
export interface EventPublication {
  readonly streams: EventStreams;
  readonly keys: readonly SigningKey[];
}

/** What workers need to send. */
export interface EventSender {
  readonly streams: EventStreams;
  readonly receivers: readonly ConnectedReceiver[];
  readonly key: PrivateSigningKey;
}

/** @returns `undefined` where no Shared Signals are configured. @throws ConfigError */
export async function loadPublication(config: EventConfig): Promise<EventPublication | undefined> {
  const { DORMOUSE_SHARED_SIGNALS_FILE: file, DORMOUSE_SHARED_SIGNALS_KEY: keyText } = config;
  if (file === undefined) return undefined;
  if (keyText === undefined) {
    throw new ConfigError(
      `${keyVariable} is not set, and ${file} names receivers. Make a key with: dormouse signals keygen`,
    );
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError(`DORMOUSE_SHARED_SIGNALS_FILE: ${file} can't be read`, { cause: error });
  });
  return { streams: parseReceiversFile(text, file), keys: parseKeys(keyText, keyVariable) };
}

/** @returns `undefined` where no Shared Signals are configured. @throws ConfigError */
export async function loadSender(config: EventConfig): Promise<EventSender | undefined> {
  const publication = await loadPublication(config);
  if (publication === undefined) return undefined;
  const { streams, keys } = publication;
  const receivers = streams.receivers.map((receiver) => {
    const { authorizationVariable } = receiver;
    return authorizationVariable === undefined
      ? receiver
      : { ...receiver, authorization: readSecret(authorizationVariable, 'A receiver of shared signals') };
  });
  return { streams, receivers, key: signingKeyOf(keys, keyVariable) };
}
