/** Starts the servers that Dormouse needs. Those that run elsewhere are used as they are. */
import { StackError } from './errors.js';
import type { ExternalParts } from './external-parts.js';
import type { HookTarget } from './hook-target.js';
import { type HydraOptions, startHydra } from './hydra.js';
import { type OryAddresses, startKratos } from './kratos.js';
import { startMailCatcher } from './mail-catcher.js';
import type { PartContext } from './part-context.js';
import { type RunningPostgres, startPostgres } from './postgres.js';
import type { StackPorts } from './stack-ports.js';
import { registerAttributes, startTemporal } from './temporal.js';
import type { StackInfo } from './types.js';

/** All at the same time, unless one needs another. */
export async function startServers(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
  hooks: { kratos: HookTarget; hydra: HookTarget | undefined },
  signIn: HydraOptions['signIn'],
): Promise<Omit<StackInfo, 'gateway' | 'keys'>> {
  const mail = provideMail(context, external, ports);
  const database = provideDatabase(context, external, ports);
  const smtpUrl = external.smtpUrl ?? `smtp://127.0.0.1:${ports.smtp}`;
  const [temporal, postgres, kratos, hydra, caught] = await Promise.all([
    provideTemporal(context, external, ports),
    database.then((running) => external.postgres ?? addressesOf(running)),
    database.then((running) => provideKratos(context, external, ports, running, smtpUrl, hooks.kratos)),
    database.then((running) => provideHydra(context, external, ports, running, hooks.hydra, signIn)),
    mail,
  ]);
  return { temporal, postgres, kratos, hydra, mail: caught };
}

async function provideTemporal(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
): Promise<StackInfo['temporal']> {
  if (external.temporal !== undefined) {
    const { address, namespace } = external.temporal;
    await registerAttributes(external.temporal);
    context.progress.line(`Temporal is given: ${address}`);
    return { address, namespace, uiUrl: '' };
  }
  const temporal = await startTemporal(context, {
    program: programOf(context, 'temporal'),
    port: ports.temporal,
    uiPort: ports.temporalUi,
    namespace: context.inherited.DORMOUSE_TEMPORAL_NAMESPACE || 'default',
  });
  context.progress.line(`Temporal ready: ${temporal.uiUrl}`);
  return temporal;
}

/** @returns `undefined` when every part that needs a database runs elsewhere. */
async function provideDatabase(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
): Promise<RunningPostgres | undefined> {
  if (external.postgres !== undefined) context.progress.line("Dormouse's database is given");
  const all = [external.postgres, external.kratos, external.hydra];
  if (all.every((part) => part !== undefined)) return undefined;
  const postgres = await startPostgres(context, ports.postgres);
  context.progress.line(`PostgreSQL ready: 127.0.0.1:${ports.postgres}`);
  return postgres;
}

async function provideKratos(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
  postgres: RunningPostgres | undefined,
  smtpUrl: string,
  gateway: HookTarget,
): Promise<OryAddresses> {
  if (external.kratos !== undefined) {
    context.progress.line(`Kratos is given: ${external.kratos.publicUrl}`);
    return external.kratos;
  }
  const kratos = await startKratos(context, {
    program: programOf(context, 'kratos'),
    publicPort: ports.kratosPublic,
    adminPort: ports.kratosAdmin,
    databaseUrl: urlOf(postgres, 'kratos'),
    smtpUrl,
    gateway,
  });
  context.progress.line(`Kratos ready: ${kratos.publicUrl}`);
  return kratos;
}

async function provideHydra(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
  postgres: RunningPostgres | undefined,
  tokenHook: HookTarget | undefined,
  signIn: HydraOptions['signIn'],
): Promise<OryAddresses> {
  if (external.hydra !== undefined) {
    context.progress.line(`Hydra is given: ${external.hydra.publicUrl}`);
    return external.hydra;
  }
  const hydra = await startHydra(context, {
    program: programOf(context, 'hydra'),
    publicPort: ports.hydraPublic,
    adminPort: ports.hydraAdmin,
    databaseUrl: urlOf(postgres, 'hydra'),
    tokenHook,
    signIn,
  });
  context.progress.line(`Hydra ready: ${hydra.publicUrl}`);
  return hydra;
}

async function provideMail(
  context: PartContext,
  external: ExternalParts,
  ports: StackPorts,
): Promise<StackInfo['mail']> {
  if (external.smtpUrl !== undefined) {
    context.progress.line('The mail server is given');
    return { smtpUrl: external.smtpUrl, webUrl: '', apiUrl: '' };
  }
  const mail = await startMailCatcher(context, { smtp: ports.smtp, web: ports.mailWeb });
  context.progress.line(`Mail catcher ready: ${mail.webUrl}`);
  return mail;
}

function programOf(context: PartContext, name: keyof PartContext['binaries']): string {
  const program = context.binaries[name];
  if (program === undefined) throw new StackError(`${name} was not resolved.`);
  return program;
}

function addressesOf(postgres: RunningPostgres | undefined): StackInfo['postgres'] {
  return { url: urlOf(postgres, 'dormouse'), runtimeUrl: postgres?.runtimeUrl ?? '' };
}

function urlOf(postgres: RunningPostgres | undefined, database: 'dormouse' | 'kratos' | 'hydra'): string {
  if (postgres === undefined) throw new StackError(`There is no PostgreSQL for the database ${database}.`);
  return postgres.urlOf(database);
}
