/** `dormouse login`, `logout`, `whoami` and `contexts …`: which installation commands go to, and with which credential. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import {
  type Context,
  type Contexts,
  changeContexts,
  checkedContextName,
  readContexts,
} from './contexts-file.js';
import { atGateway } from './desk.js';
import { deskEnvironment } from './environment.js';
import { CliError, exitCodes, UsageError } from './exit-codes.js';
import { checkedGatewayUrl, checkedToken, GatewayCalls } from './gateway-calls.js';
import { printable, say, sayJson, sayRows } from './output.js';
import { revokeSignIn } from './revoke-sign-in.js';
import { readSecret } from './secret-input.js';
import { signIn } from './sign-in.js';

interface LoginFlags {
  readonly gateway: string;
  readonly context?: string;
  readonly tokenStdin?: true;
  readonly plainHttp?: true;
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scope: string;
  readonly port: string;
  readonly browser?: true;
}

interface Me {
  readonly actor: string;
  readonly owner: string;
  readonly scopes: readonly string[];
}

/** What a gateway says of the issuers where operators sign in. The answer of a gateway is not trusted more than any other. */
const issuersSchema = z.object({
  issuers: z.array(
    z.object({
      alias: z.string(),
      issuer: z.url(),
      audience: z.string(),
      clients: z.array(z.string()).min(1),
    }),
  ),
});

const defaultContext = 'default';

export function addLoginCommands(program: Command): void {
  program
    .command('login')
    .description("sign in at a gateway's operators' address; the credential is kept for later commands")
    .requiredOption('--gateway <url>', "the operators' address of the gateway, as https://desk.example")
    .option('--token-stdin', 'read a credential from the standard input, instead of signing in at an issuer')
    .option('--issuer <alias>', 'where the gateway knows several issuers: which one')
    .option('--client-id <id>', 'the client of the issuer that this command is; left out: dormouse-cli')
    .option('--scope <scopes>', 'what to ask the issuer for', 'openid offline_access')
    .addOption(new Option('--port <number>', 'of the redirect to this machine; 0: any').default('0'))
    .option('--browser', 'by a browser on this machine, also where the issuer has device codes')
    .option('--plain-http', 'take an http address of another machine')
    .action(async (flags: LoginFlags, command: Command) => login({ ...flags, ...command.optsWithGlobals() }));
  program
    .command('logout')
    .description(
      'forget the credential of a context, and end the sign-in at its issuer; a named credential stays good until it is revoked',
    )
    .action(async (_flags: object, command: Command) => {
      const { context } = command.optsWithGlobals<{ context?: string }>();
      const { name, forgotten } = await removeContext(context);
      if (forgotten.signIn === undefined) {
        say(`${name}  forgotten. A credential that others may know: dormouse credentials revoke`);
        return;
      }
      // The context is gone already: what the issuer answers keeps nobody signed in here.
      say(`${name}  forgotten. ${await revokeSignIn(forgotten.signIn)}`);
    });
  program
    .command('whoami')
    .description('as whom commands call the gateway, and what that may do')
    .option('--json', 'as JSON')
    .action(
      atGateway(async (gateway, { json }: { json?: true }) => {
        const me = await gateway.get<Me>('/v1/me');
        if (json) return sayJson({ gateway: gateway.url, ...me });
        say(`gateway  ${gateway.url}`);
        say(`actor    ${me.actor}`);
        say(`owner    ${me.owner}`);
        say(`scopes   ${me.scopes.join(' ')}`);
      }),
    );
  addContextsCommands(program);
}

function addContextsCommands(program: Command): void {
  const contexts = program.command('contexts').description('the installations that you signed in at');
  contexts
    .command('list')
    .description('all of them; never their credentials')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: { json?: true }) => {
      const known = await readContexts(deskEnvironment().contextsPath);
      const rows = Object.entries(known.contexts).map(([name, { gateway, signIn: signed }]) => ({
        ...{ name, gateway, isCurrent: name === known.current },
        by: signed === undefined ? 'token' : signed.issuer,
      }));
      sayRows(
        [
          { title: 'current', of: ({ isCurrent }) => (isCurrent ? '*' : '') },
          { title: 'context', of: ({ name }) => name },
          { title: 'gateway', of: ({ gateway }) => gateway },
          { title: 'signed in by', of: ({ by }) => by },
        ],
        rows,
        { json: json === true, none: 'There are none yet. Sign in: dormouse login --gateway URL' },
      );
    });
  contexts
    .command('use <name>')
    .description('which installation commands go to, unless --context says otherwise')
    .action(async (name: string) => {
      await changeContexts(deskEnvironment().contextsPath, (known) => {
        assertKnown(known, name);
        return { ...known, current: name };
      });
      say(`${name}  is the current context`);
    });
}

async function login(flags: LoginFlags): Promise<void> {
  const url = checkedGatewayUrl('--gateway', flags.gateway, flags.plainHttp === true);
  const name = checkedContextName(flags.context ?? defaultContext);
  const port = /^\d{1,5}$/.test(flags.port) ? Number(flags.port) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError('--port: must be a number from 0 to 65535');
  const context = flags.tokenStdin === true ? await byToken(url) : await byIssuer(url, flags, port);
  const me = await proven(url, context);
  await changeContexts(deskEnvironment().contextsPath, ({ contexts }) => ({
    current: name,
    contexts: { ...contexts, [name]: context },
  }));
  console.error(
    `Signed in at ${url} as ${printable(me ?? 'a credential without the scope api:read')} (context ${name})`,
  );
}

async function byToken(gateway: string): Promise<Context> {
  const text = await readSecret('Paste the credential (it is not shown), then Enter:');
  return { gateway, token: checkedToken('--token-stdin', text) };
}

async function byIssuer(gateway: string, flags: LoginFlags, port: number): Promise<Context> {
  const { alias, issuer, audience, clients } = await chosenIssuer(gateway, flags.issuer);
  const clientId = flags.clientId ?? clients.find((one) => one === 'dormouse-cli') ?? soleOf(clients);
  if (clientId === undefined) {
    throw new UsageError(
      `--client-id: is missing. The gateway takes tokens of these clients of ${alias}: ${printable(clients.join(', '))}. Write the one that is for command lines`,
    );
  }
  const request = { issuer, clientId, audience, scope: flags.scope, port };
  const way = flags.browser === true ? { way: 'browser' as const } : {};
  // Not by say(): the standard output is for answers.
  return { gateway, signIn: await signIn({ ...request, ...way }, (line) => console.error(line)) };
}

async function chosenIssuer(gateway: string, alias: string | undefined) {
  // The answer is public, and no credential is known yet.
  const calls = new GatewayCalls({ url: gateway, token: async () => 'none' });
  const { issuers } = issuersSchema.parse(await calls.get('/v1/sign-in'));
  const found = alias === undefined ? soleOf(issuers) : issuers.find((one) => one.alias === alias);
  if (found !== undefined) return found;
  if (issuers.length === 0) {
    throw new CliError(
      'Nobody signs in at this gateway by an issuer (DORMOUSE_OPERATORS_FILE). Sign in with a credential: --token-stdin',
      exitCodes.notAllowed,
    );
  }
  throw new UsageError(`--issuer: must be one of ${printable(issuers.map((one) => one.alias).join(', '))}`);
}

const soleOf = <T>(all: readonly T[]): T | undefined => (all.length === 1 ? all[0] : undefined);

/**
 * Shows the gateway the new credential before it is kept.
 * @returns the actor, or `undefined` where the credential may not read it
 */
async function proven(url: string, { token, signIn: signed }: Context): Promise<string | undefined> {
  const credential = signed?.accessToken ?? token ?? '';
  try {
    const calls = new GatewayCalls({ url, token: async () => credential });
    return (await calls.get<Me>('/v1/me')).actor;
  } catch (error) {
    if (
      error instanceof CliError &&
      error.exitCode === exitCodes.notAllowed &&
      /api:read/.test(error.message)
    )
      return undefined;
    if (error instanceof CliError && error.exitCode === exitCodes.notAllowed) {
      throw new CliError(
        `The gateway at ${url} does not take the credential, so it was not kept. Is it of this installation, and still good?`,
        exitCodes.notAllowed,
      );
    }
    throw error;
  }
}

async function removeContext(
  named: string | undefined,
): Promise<{ readonly name: string; readonly forgotten: Context }> {
  const path = deskEnvironment().contextsPath;
  const { current } = await readContexts(path);
  const name = named ?? current;
  if (name === undefined) throw new CliError('Nobody is signed in.', exitCodes.refused);
  let forgotten: Context | undefined;
  await changeContexts(path, (known) => {
    assertKnown(known, name);
    const { [name]: removed, ...contexts } = known.contexts;
    forgotten = removed;
    return {
      contexts,
      ...(known.current !== undefined && known.current !== name && { current: known.current }),
    };
  });
  if (forgotten === undefined) throw new Error('a context is known and has no entry');
  return { name, forgotten };
}

function assertKnown({ contexts }: Contexts, name: string): void {
  if (Object.hasOwn(contexts, name)) return;
  throw new UsageError(`there is no context "${printable(name)}". See: dormouse contexts list`);
}
