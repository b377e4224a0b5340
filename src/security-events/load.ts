/** Loads what the environment says of shared signals. Node only. */
import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, readSecret } from '../config.js';
import { type PrivateSigningKey, parseKeys, type SigningKey, signingKeyOf } from '../keys/signing-keys.js';
import { parseReceiversFile, type SignalReceiver, type SignalStreams } from './receivers-file.js';

export const signalVariables = ['DORMOUSE_SHARED_SIGNALS_FILE', 'DORMOUSE_SHARED_SIGNALS_KEY'] as const;
export type SignalConfig = Pick<Config, (typeof signalVariables)[number]>;
const keyVariable = 'DORMOUSE_SHARED_SIGNALS_KEY';

/** A receiver with what its environment variable held. */
export interface ConnectedReceiver extends SignalReceiver {
  readonly authorization?: string;
}

/** What gateways publish. */
export interface SignalPublication {
  readonly streams: SignalStreams;
  readonly keys: readonly SigningKey[];
}

/** What workers need to send. */
export interface SignalSender {
  readonly streams: SignalStreams;
  readonly receivers: readonly ConnectedReceiver[];
  readonly key: PrivateSigningKey;
}

/** @returns `undefined` where no shared signals are configured. @throws ConfigError */
export async function loadPublication(config: SignalConfig): Promise<SignalPublication | undefined> {
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

/** @returns `undefined` where no shared signals are configured. @throws ConfigError */
export async function loadSender(config: SignalConfig): Promise<SignalSender | undefined> {
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
