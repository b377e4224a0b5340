/** The stack's PostgreSQL: one cluster with one database each for Dormouse, Kratos and Hydra. */

import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import { given } from '../../src/domain/given.js';
import { messageOf, StackError } from './errors.js';
import { exists, lastLinesOf, readFileIfAny } from './files.js';
import { logFileOf, type PartContext, plainEnvironment } from './part-context.js';
import { loopbackHost } from './ports.js';
import { type Account, findPostgresAccount } from './postgres-account.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { endStalePostmaster } from './postgres-leftovers.js';
import { untilReady } from './supervisor.js';

const majorVersion = '18';
const superuser = 'dormouse';
const databases = ['dormouse', 'kratos', 'hydra'] as const;
export type DatabaseName = (typeof databases)[number];

/** The role of worker and gateway: not the owner of the tables (docs/audit.md). */
const runtimeRole = 'dormouse_runtime';

export interface RunningPostgres {
  /** Dormouse's database, as worker and gateway use it. */
  readonly runtimeUrl: string;
  urlOf(database: DatabaseName): string;
}

/** Starts PostgreSQL. Creates the cluster and its databases first, where they are missing. */
export async function startPostgres(context: PartContext, port: number): Promise<RunningPostgres> {
  const account = await findPostgresAccount();
  const binaries = await findPostgresBinaries(account);
  await makeCluster(context, binaries, account);
  await endStalePostmaster(context.data.postgres);
  const child = await context.supervisor.start({
    name: 'PostgreSQL',
    rank: 'database',
    command: binaries.postgres,
    arguments: ['-D', context.data.postgres, '-p', String(port), ...settings(context.ephemeral)],
    environment: plainEnvironment(context, { LC_ALL: 'C' }),
    logFile: logFileOf(context, 'postgres'),
    // "Fast" shutdown: ends connections instead of waiting for them.
    stopSignal: 'SIGINT',
    graceMs: 10_000,
    ...given({ user: account }),
  });
  const { postgresPassword, runtimePassword } = context.secrets;
  const address = `${loopbackHost}:${port}`;
  const urlOf = (database: string) => `postgres://${superuser}:${postgresPassword}@${address}/${database}`;
  await untilReady(child, () => answers(urlOf('postgres')), 30_000);
  await createDatabases(urlOf('postgres'), runtimePassword);
  return { urlOf, runtimeUrl: `postgres://${runtimeRole}:${runtimePassword}@${address}/dormouse` };
}

function settings(ephemeral: boolean): string[] {
  const values = [
    `listen_addresses=${loopbackHost}`,
    // A socket file needs a directory that its user may write to, and nothing uses it.
    'unix_socket_directories=',
    'max_connections=200',
    // Data that is deleted at stop needs no protection from power failures.
    ...(ephemeral ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
  ];
  return values.flatMap((value) => ['-c', value]);
}

async function makeCluster(
  context: PartContext,
  binaries: PostgresBinaries,
  account?: Account,
): Promise<void> {
  const directory = context.data.postgres;
  const version = (await readFileIfAny(join(directory, 'PG_VERSION')))?.trim();
  if (version === majorVersion) return;
  if (version !== undefined) {
    throw new StackError(
      `${directory} was written by PostgreSQL ${version}, and this is ${majorVersion}. ` +
        'Start with "npm start -- --fresh" (removes the local data), or remove that directory.',
    );
  }
  // Created aside and renamed: a killed start leaves no broken cluster behind.
  const draft = `${directory}.new`;
  const passwordFile = `${directory}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${context.secrets.postgresPassword}\n`, { mode: 0o600 });
  if (account !== undefined) {
    await chown(draft, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  try {
    await initialise(context, binaries.initdb, draft, passwordFile, account);
  } finally {
    await rm(passwordFile, { force: true });
  }
  if (await exists(directory)) await rm(directory, { recursive: true });
  await rename(draft, directory);
}

async function initialise(
  context: PartContext,
  initdb: string,
  directory: string,
  passwordFile: string,
  account?: Account,
): Promise<void> {
  const flags = [
    `--pgdata=${directory}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Independent of the machine's locales.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(context.ephemeral ? ['--no-sync'] : []),
  ];
  const result = await execa(initdb, flags, {
    reject: false,
    all: true,
    extendEnv: false,
    env: plainEnvironment(context, { LC_ALL: 'C' }),
    ...account,
  });
  if (result.exitCode === 0) return;
  const output = lastLinesOf(result.all, 15).map((line) => `  ${line}`);
  throw new StackError(
    [
      `PostgreSQL's data directory could not be made: ${result.shortMessage ?? 'initdb failed'}`,
      ...output,
    ].join('\n'),
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // Wrong password: the cluster is older than the secrets. Waiting does not help.
    if (messageOf(error).includes('password authentication failed')) return true;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabases(url: string, runtimePassword: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const found = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(found.rows.map((row) => row.datname));
    for (const database of databases) {
      if (!existing.has(database)) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    }
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [runtimeRole]);
    const verb = roles.rows.length === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${runtimeRole} LOGIN PASSWORD ${client.escapeLiteral(runtimePassword)}`);
  } catch (error) {
    throw new StackError(
      `PostgreSQL runs, but its databases could not be made: ${messageOf(error)}. ` +
        'If its data and the secrets do not belong together, start with "npm start -- --fresh" (removes the local data).',
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
