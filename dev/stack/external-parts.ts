/** Parts that run elsewhere: the environment has their addresses, and they are not started. */

import pg from 'pg';
import { readConfig } from '../../src/config.js';
import { given } from '../../src/domain/given.js';
import type { StackEnvironment } from './environment.js';
import { messageOf, StackError } from './errors.js';
import { canConnect } from './http-check.js';
import type { OryAddresses } from './kratos.js';
import type { TemporalAccess } from './temporal.js';
import type { StackInfo } from './types.js';

export interface ExternalParts {
  temporal: TemporalAccess | undefined;
  /** Dormouse's own database only: Kratos and Hydra never use a server that the stack doesn't own. */
  postgres: StackInfo['postgres'] | undefined;
  kratos: OryAddresses | undefined;
  hydra: OryAddresses | undefined;
  smtpUrl: string | undefined;
}

/**
 * Reads which parts run elsewhere.
 * @throws StackError when one of two addresses that belong together is missing;
 * ConfigError for an invalid address.
 */
export function readExternalParts(environment: StackEnvironment): ExternalParts {
  const { inherited, external } = environment;
  return {
    temporal: external.temporal ? readTemporal(inherited) : undefined,
    postgres: external.postgres ? readPostgres(inherited) : undefined,
    kratos: readPair(inherited, 'Kratos', 'DORMOUSE_KRATOS_PUBLIC_URL', 'DORMOUSE_KRATOS_ADMIN_URL'),
    hydra: readPair(inherited, 'Hydra', 'DORMOUSE_HYDRA_PUBLIC_URL', 'DORMOUSE_HYDRA_ADMIN_URL'),
    smtpUrl: external.smtp ? readConfig(['DORMOUSE_SMTP_URL'], inherited).DORMOUSE_SMTP_URL : undefined,
  };
}

/** @throws StackError naming the variable whose server does not answer. */
export async function checkExternalParts(external: ExternalParts): Promise<void> {
  await Promise.all([
    checkPostgres('DORMOUSE_POSTGRES_URL', external.postgres?.runtimeUrl),
    checkPostgres('DORMOUSE_POSTGRES_MIGRATION_URL', ownerUrlOf(external)),
    checkListening('DORMOUSE_KRATOS_PUBLIC_URL', external.kratos?.publicUrl),
    checkListening('DORMOUSE_KRATOS_ADMIN_URL', external.kratos?.adminUrl),
    checkListening('DORMOUSE_HYDRA_PUBLIC_URL', external.hydra?.publicUrl),
    checkListening('DORMOUSE_HYDRA_ADMIN_URL', external.hydra?.adminUrl),
    checkListening('DORMOUSE_SMTP_URL', external.smtpUrl),
  ]);
}

/** The owner's URL, where it differs from the runtime role's. */
function ownerUrlOf({ postgres }: ExternalParts): string | undefined {
  return postgres?.url === postgres?.runtimeUrl ? undefined : postgres?.url;
}

type Environment = StackEnvironment['inherited'];
type UrlVariable =
  | 'DORMOUSE_KRATOS_PUBLIC_URL'
  | 'DORMOUSE_KRATOS_ADMIN_URL'
  | 'DORMOUSE_HYDRA_PUBLIC_URL'
  | 'DORMOUSE_HYDRA_ADMIN_URL';

function readTemporal(environment: Environment): TemporalAccess {
  const config = readConfig(
    [
      'DORMOUSE_TEMPORAL_ADDRESS',
      'DORMOUSE_TEMPORAL_NAMESPACE',
      'DORMOUSE_TEMPORAL_TLS',
      'DORMOUSE_TEMPORAL_API_KEY',
    ],
    environment,
  );
  return {
    address: config.DORMOUSE_TEMPORAL_ADDRESS,
    namespace: config.DORMOUSE_TEMPORAL_NAMESPACE,
    tls: config.DORMOUSE_TEMPORAL_TLS,
    ...given({ apiKey: config.DORMOUSE_TEMPORAL_API_KEY }),
  };
}

function readPostgres(environment: Environment): StackInfo['postgres'] {
  const config = readConfig(['DORMOUSE_POSTGRES_URL', 'DORMOUSE_POSTGRES_MIGRATION_URL'], environment);
  const runtimeUrl = config.DORMOUSE_POSTGRES_URL;
  return { url: config.DORMOUSE_POSTGRES_MIGRATION_URL ?? runtimeUrl, runtimeUrl };
}

function readPair(
  environment: Environment,
  title: string,
  publicName: UrlVariable,
  adminName: UrlVariable,
): OryAddresses | undefined {
  const missing = [publicName, adminName].filter((name) => !environment[name]);
  if (missing.length === 2) return undefined;
  if (missing.length === 1) {
    throw new StackError(
      `${title} is given by the environment in part only: ${missing[0]} is missing. ` +
        `Set both ${publicName} and ${adminName} to use a running ${title}, or none to have one started.`,
    );
  }
  const config = readConfig([publicName, adminName], environment);
  return { publicUrl: config[publicName], adminUrl: config[adminName] };
}

async function checkListening(variable: string, address: string | undefined): Promise<void> {
  if (address === undefined) return;
  const url = new URL(address);
  const port = Number(url.port) || ({ 'https:': 443, 'smtp:': 25, 'smtps:': 465 }[url.protocol] ?? 80);
  if (await canConnect(url.hostname.replace(/^\[|\]$/g, ''), port)) return;
  // The address may contain a password.
  throw new StackError(`Nothing answers at ${url.hostname}:${port}, which ${variable} names.`);
}

async function checkPostgres(variable: string, url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new StackError(`The database that ${variable} names can't be used: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
