/** What a command works with: the gateway of the chosen context, and the credential for it. */
import type { Command } from 'commander';
import { checkedContextName, readContexts } from './contexts-file.js';
import { deskEnvironment } from './environment.js';
import { CliError, exitCodes } from './exit-codes.js';
import { checkedGatewayUrl, checkedToken, GatewayCalls, type GatewayPlace } from './gateway-calls.js';
import { freshAccessToken } from './sign-in-tokens.js';

/** The option of every command that calls a gateway. */
export const contextOption = [
  '--context <name>',
  'the installation, as "dormouse contexts list" names it; left out: DORMOUSE_GATEWAY, or the current one',
] as const;

export interface DeskOptions {
  readonly context?: string;
}

/** Makes a command's action of work at a gateway. */
export function atGateway<Args extends unknown[]>(
  work: (gateway: GatewayCalls, ...args: Args) => Promise<void>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const gateway = await openGateway(command.optsWithGlobals<DeskOptions>());
    await work(gateway, ...(all.slice(0, -1) as Args));
  };
}

/** @throws CliError where nobody said which gateway, or nobody signed in there */
export async function openGateway(options: DeskOptions): Promise<GatewayCalls> {
  return new GatewayCalls(await findPlace(options));
}

/** A context that is named on the command line comes before the environment, and that before the current context. */
export async function findPlace({ context }: DeskOptions): Promise<GatewayPlace> {
  const { gateway: url, token, plainHttp, contextsPath: path } = deskEnvironment();
  if (context === undefined && url !== undefined) return placeOfEnvironment(url, token, plainHttp);
  const { current, contexts } = await readContexts(path);
  const name = context === undefined ? current : checkedContextName(context);
  const known = name !== undefined && Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (name === undefined || known === undefined) {
    throw new CliError(
      name === undefined
        ? 'No gateway is chosen. Sign in: dormouse login --gateway URL. Or set DORMOUSE_GATEWAY and DORMOUSE_TOKEN.'
        : `--context: there is no "${name}". See: dormouse contexts list. Or sign in: dormouse login --gateway URL --context ${name}`,
      exitCodes.notAllowed,
    );
  }
  // The file may hold what somebody wrote by hand. Whether plain http is taken was asked at the sign-in.
  const gateway = checkedGatewayUrl(path, known.gateway, true);
  return {
    url: gateway,
    context: name,
    token: async () => {
      if (token !== undefined) return checkedToken('DORMOUSE_TOKEN', token);
      if (known.signIn !== undefined) return freshAccessToken(path, name, gateway);
      if (known.token !== undefined) return checkedToken(path, known.token);
      throw new CliError(
        `Nobody is signed in at the context "${name}". Sign in: dormouse login --gateway ${gateway} --context ${name}`,
        exitCodes.notAllowed,
      );
    },
  };
}

/** The credential of a context must not go to another gateway. */
function placeOfEnvironment(url: string, token: string | undefined, plainHttp: boolean): GatewayPlace {
  if (token === undefined) {
    throw new CliError(
      'DORMOUSE_TOKEN is not set, and DORMOUSE_GATEWAY is. Set both, or unset both and sign in: dormouse login --gateway URL',
      exitCodes.notAllowed,
    );
  }
  const credential = checkedToken('DORMOUSE_TOKEN', token);
  const gateway = checkedGatewayUrl('DORMOUSE_GATEWAY', url, plainHttp, 'DORMOUSE_PLAIN_HTTP=on');
  return { url: gateway, token: async () => credential };
}
