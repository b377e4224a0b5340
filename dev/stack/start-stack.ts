/**
 * Starts all parts in the right order, as many as possible at the same time. The
 * stack's only composition root.
 */

import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readConfig } from '../../src/config.js';
import { given } from '../../src/domain/given.js';
import { hookKeysOf, hookVariables } from '../../src/gateway/credentials.js';
import { parsePolicyFile } from '../../src/policies/yaml.js';
import { cacheRoot } from './binaries/cache.js';
import { pinnedServers, type ResolvedBinaries, serverNames } from './binaries/pinned-servers.js';
import { resolveBinary } from './binaries/resolve-binary.js';
import { startGateway, startWorker } from './dormouse.js';
import { readStackEnvironment, type StackEnvironment } from './environment.js';
import { StackError } from './errors.js';
import { checkExternalParts, type ExternalParts, readExternalParts } from './external-parts.js';
import { removeStackInfo, writeStackInfo } from './info-file.js';
import {
  type OperatorSignIn,
  registerDesk,
  startOperatorSignIn,
  writeOperatorsFile,
} from './operator-sign-in.js';
import type { PartContext } from './part-context.js';
import { loopbackHost, type PortReservation, reservePorts } from './ports.js';
import { createProgress, type Progress } from './progress.js';
import { projectDirectory } from './project.js';
import { loadSecrets, type StackSecrets } from './secrets.js';
import { openStackHome, type StackHome } from './stack-home.js';
import { portsToTry, type StackPorts } from './stack-ports.js';
import { startServers } from './start-servers.js';
import { Supervisor } from './supervisor.js';
import type { RunningStack, StackInfo, StartStackOptions } from './types.js';
import { variablesOf } from './variables.js';

/**
 * Starts the embedded stack and resolves when every part is ready.
 * @param environment parts whose address it names are not started.
 * @throws StackError when a part is not available or does not start, ConfigError for a wrong address.
 * Nothing keeps running after an error.
 */
export async function startStack(
  options: StartStackOptions,
  environment: StackEnvironment = readStackEnvironment(),
): Promise<RunningStack> {
  const external = readExternalParts(environment);
  const policyFile = await findPolicyFile(options, environment);
  const policyId = environment.inherited.DORMOUSE_POLICY_ID || (await policyIdOf(policyFile));
  await checkExternalParts(external);
  const progress = createProgress(options.report, options.reportStatus);
  const home = await openStackHome(options, progress);
  const run = new StackRun({ options, environment, external, policyFile, policyId, progress, home });
  try {
    return await orAborted(run.start(), options.signal);
  } catch (error) {
    await run.stop();
    throw error;
  }
}

/** What is known before the first part starts. */
interface StackPlan {
  options: StartStackOptions;
  environment: StackEnvironment;
  external: ExternalParts;
  policyFile: string;
  /** Id of the policy that people follow; empty: the default. */
  policyId: string;
  progress: Progress;
  home: StackHome;
}

/** One run of the stack, from the data directory to the last child. */
class StackRun {
  private readonly supervisor: Supervisor;
  private reservation: PortReservation<keyof StackPorts> | undefined;
  private signIn: OperatorSignIn | undefined;
  private stopping: Promise<void> | undefined;

  constructor(private readonly plan: StackPlan) {
    const { data, temporaryDirectory } = plan.home;
    this.supervisor = new Supervisor({
      registerFile: data.registerFile,
      ...given({ temporaryDirectory }),
    });
  }

  async start(): Promise<RunningStack> {
    const { options, environment, external, home, progress } = this.plan;
    const context: PartContext = {
      data: home.data,
      ephemeral: options.ephemeral === true,
      secrets: await loadSecrets(home.data.secretsFile),
      supervisor: this.supervisor,
      binaries: await resolveBinaries(this.plan),
      progress,
      inherited: environment.inherited,
    };
    this.reservation = await reservePorts(portsToTry(context.ephemeral, environment));
    const { ports } = this.reservation;
    const gateway = {
      url: `http://${loopbackHost}:${ports.gateway}`,
      serviceToken: serviceTokenOf(environment, context.secrets),
      hookKeys: hookKeysFor(environment, context.secrets),
    };
    const { url, hookKeys } = gateway;
    const asksBeforeTokens = options.tokenHook ?? options.gateway !== false;
    const hydraAdminUrl = `http://${loopbackHost}:${ports.hydraAdmin}`;
    this.signIn = await startOperatorSignIn(ports.operatorSignIn, hydraAdminUrl);
    const hooks = {
      kratos: { url, key: hookKeys.kratos },
      hydra: asksBeforeTokens ? { url, key: hookKeys.hydra } : undefined,
    };
    const servers = await startServers(context, external, ports, hooks, this.signIn);
    const info: StackInfo = {
      ...servers,
      gateway,
      keys: {
        auditSigningKey: environment.inherited.DORMOUSE_AUDIT_SIGNING_KEY || context.secrets.auditSigningKey,
        dataKey: environment.inherited.DORMOUSE_DATA_KEY || context.secrets.dataKey,
        identifierKey: environment.inherited.DORMOUSE_IDENTIFIER_KEY || context.secrets.identifierKey,
      },
    };
    const variables = {
      ...variablesFor(this.plan, info, ports.gateway),
      ...(await deskFor(this.plan, info)),
    };
    await this.startDormouse(context, info, variables);
    if (this.stopping !== undefined) throw new StackError('The stack is stopping.');
    await writeStackInfo(home.data.infoFile, info);
    return {
      info,
      environment: variables,
      dataDirectory: home.data.root,
      died: this.supervisor.died,
      stop: () => this.stop(),
    };
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    // First, so that nobody finds a stack that is stopping.
    await removeStackInfo(this.plan.home.data.infoFile);
    await this.supervisor.stop();
    await this.signIn?.close();
    await this.reservation?.release();
    await this.plan.home.close();
  }

  private async startDormouse(
    context: PartContext,
    info: StackInfo,
    variables: Record<string, string>,
  ): Promise<void> {
    const { options, progress } = this.plan;
    const dormouse = {
      environment: { ...variables, ...options.extraEnvironment },
      gatewayUrl: info.gateway.url,
    };
    const start = async (title: string, begin: typeof startWorker) => {
      await begin(context, dormouse);
      progress.line(`${title} ready`);
    };
    await Promise.all([
      options.worker === false ? undefined : start('Dormouse worker', startWorker),
      options.gateway === false ? undefined : start('Dormouse gateway', startGateway),
    ]);
  }
}

/** One after the other: three compilers at once need more memory than a small machine has. */
async function resolveBinaries(plan: StackPlan): Promise<ResolvedBinaries> {
  const { external, environment, progress, options } = plan;
  const binaries: ResolvedBinaries = {};
  for (const name of serverNames) {
    if (external[name] !== undefined) continue;
    const resolved = await resolveBinary(pinnedServers[name], {
      searchPath: environment.path,
      cacheRoot: cacheRoot(environment),
      toolsDirectory: join(projectDirectory, 'tools'),
      inherited: environment.inherited,
      progress,
      signal: options.signal,
    });
    binaries[name] = resolved.path;
  }
  return binaries;
}

/** The user's own token, or else the one in the data directory. */
function serviceTokenOf(environment: StackEnvironment, secrets: StackSecrets): string {
  if (!environment.inherited.DORMOUSE_SERVICE_TOKENS) return secrets.serviceToken;
  const config = readConfig(['DORMOUSE_SERVICE_TOKENS'], environment.inherited);
  return config.DORMOUSE_SERVICE_TOKENS[0] ?? secrets.serviceToken;
}

function hookKeysFor(environment: StackEnvironment, secrets: StackSecrets): StackInfo['gateway']['hookKeys'] {
  const given = hookKeysOf(readConfig(hookVariables, environment.inherited));
  return {
    kratos: given.kratos?.[0] ?? secrets.kratosHookKey,
    hydra: given.hydra?.[0] ?? secrets.hydraHookKey,
    mail: given.mail?.[0] ?? secrets.mailHookKey,
  };
}

function variablesFor(plan: StackPlan, info: StackInfo, gatewayPort: number): Record<string, string> {
  const { external, policyFile, policyId, environment } = plan;
  const { hookKeys } = info.gateway;
  return {
    ...variablesOf(info),
    DORMOUSE_TEMPORAL_TLS: String(external.temporal?.tls ?? false),
    DORMOUSE_TEMPORAL_API_KEY: external.temporal?.apiKey ?? '',
    DORMOUSE_POLICY_FILE: policyFile,
    DORMOUSE_POLICY_ID: policyId,
    DORMOUSE_GATEWAY_HOST: loopbackHost,
    DORMOUSE_GATEWAY_PORT: String(gatewayPort),
    // One listener for both, so that several stacks run on one machine.
    DORMOUSE_OPERATORS_LISTEN: `${loopbackHost}:${gatewayPort}`,
    DORMOUSE_LINK_BASE_URL: environment.inherited.DORMOUSE_LINK_BASE_URL || info.gateway.url,
    DORMOUSE_SERVICE_TOKENS: environment.inherited.DORMOUSE_SERVICE_TOKENS || info.gateway.serviceToken,
    DORMOUSE_KRATOS_HOOK_KEYS: environment.inherited.DORMOUSE_KRATOS_HOOK_KEYS || hookKeys.kratos,
    DORMOUSE_HYDRA_HOOK_KEYS: environment.inherited.DORMOUSE_HYDRA_HOOK_KEYS || hookKeys.hydra,
    DORMOUSE_MAIL_HOOK_KEYS: environment.inherited.DORMOUSE_MAIL_HOOK_KEYS || hookKeys.mail,
  };
}

/**
 * The desk, with operators of the development sign-in. Where Hydra or the operators' file are given, whoever gave them says who operators are.
 */
async function deskFor(
  { external, environment, home }: StackPlan,
  { hydra, gateway, temporal }: StackInfo,
): Promise<Record<string, string>> {
  const ui = { DORMOUSE_TEMPORAL_UI_URL: environment.inherited.DORMOUSE_TEMPORAL_UI_URL || temporal.uiUrl };
  if (external.hydra !== undefined || environment.inherited.DORMOUSE_OPERATORS_FILE) return ui;
  await registerDesk(hydra.adminUrl, gateway.url);
  return {
    ...ui,
    DORMOUSE_OPERATORS_FILE: await writeOperatorsFile(home.data.hydra, hydra.publicUrl),
    DORMOUSE_DESK_URL: gateway.url,
  };
}

async function findPolicyFile(options: StartStackOptions, environment: StackEnvironment): Promise<string> {
  const given = options.policyFile ?? environment.inherited.DORMOUSE_POLICY_FILE;
  const path = given ? resolve(given) : join(projectDirectory, 'policies', 'default.yaml');
  if (options.worker === false && options.gateway === false) return path;
  try {
    await access(path);
  } catch (error) {
    throw new StackError(`The policy file ${path} can't be read.`, { cause: error });
  }
  return path;
}

/** A named policy file should also be followed. The worker reports its problems at the start. */
async function policyIdOf(file: string): Promise<string> {
  try {
    return parsePolicyFile(await readFile(file, 'utf8'), file).id;
  } catch {
    return '';
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new StackError('The start was given up.'));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
  return Promise.race([work, aborted]);
}
