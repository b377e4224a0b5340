/**
 * The variables of an operator's desk. They are no part of the installation's configuration (src/config/variables.ts): no server reads
 * them.
 */
export interface DeskEnvironment {
  /** DORMOUSE_GATEWAY: the operators' address of a gateway, in place of a context. */
  readonly gateway: string | undefined;
  /** DORMOUSE_TOKEN: the credential. */
  readonly token: string | undefined;
}

/** An empty variable is one that is not set. */
export function deskEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): DeskEnvironment {
  const { DORMOUSE_GATEWAY: gateway, DORMOUSE_TOKEN: token } = environment;
  return { gateway: gateway || undefined, token: token || undefined };
}
