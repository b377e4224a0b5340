/**
 * The variables of an operator's desk. They are no part of the installation's configuration (src/config/variables.ts): no server reads
 * them, and this file alone reads them.
 */
import { contextsPath } from './contexts-file.js';

export interface DeskEnvironment {
  /** The file of contexts, below XDG_CONFIG_HOME. */
  readonly contextsPath: string;
  /** DORMOUSE_GATEWAY: the operators' address of a gateway, in place of a context. */
  readonly gateway: string | undefined;
  /** DORMOUSE_TOKEN: the credential. */
  readonly token: string | undefined;
  /** DORMOUSE_PLAIN_HTTP=on: DORMOUSE_GATEWAY may be plain http to another machine. */
  readonly plainHttp: boolean;
}

/** An empty variable is one that is not set. */
export function deskEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): DeskEnvironment {
  const { DORMOUSE_GATEWAY: gateway, DORMOUSE_TOKEN: token, DORMOUSE_PLAIN_HTTP: plainHttp } = environment;
  return {
    contextsPath: contextsPath(environment),
    gateway: gateway || undefined,
    token: token || undefined,
    plainHttp: plainHttp === 'on',
  };
}
