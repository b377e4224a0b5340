/** The Temporal development server, with its UI and the search attributes that Dormouse's workflows set. */

import { Connection } from '@temporalio/client';
import { given } from '../../src/domain/given.js';
import { searchAttributes } from '../../src/domain/search-attributes.js';
import { registerSearchAttributes } from '../../src/process/search-attributes.js';
import { messageOf, StackError } from './errors.js';
import { logFileOf, type PartContext, plainEnvironment } from './part-context.js';
import { loopbackHost } from './ports.js';
import { untilReady } from './supervisor.js';
import type { StackInfo } from './types.js';

export interface TemporalOptions {
  program: string;
  port: number;
  uiPort: number;
  namespace: string;
}

export interface TemporalAccess {
  address: string;
  namespace: string;
  tls?: boolean;
  apiKey?: string;
}

/** Starts the server. Without `ephemeral` its workflows are kept in the data directory. */
export async function startTemporal(
  context: PartContext,
  options: TemporalOptions,
): Promise<StackInfo['temporal']> {
  const address = `${loopbackHost}:${options.port}`;
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const child = await context.supervisor.start({
    name: 'Temporal',
    rank: 'server',
    command: options.program,
    arguments: [
      ...['server', 'start-dev', '--ip', loopbackHost, '--log-level', 'warn'],
      // Priorities of activities: a return goes before deadlines.
      ...['--dynamic-config-value', 'matching.useNewMatcher=true'],
      ...['--port', String(options.port), '--ui-port', String(options.uiPort)],
      ...(context.ephemeral ? [] : ['--db-filename', context.data.temporalDatabase]),
      ...['--namespace', options.namespace],
      ...attributes,
    ],
    environment: plainEnvironment(context),
    logFile: logFileOf(context, 'temporal'),
    graceMs: 10_000,
  });
  const access: TemporalAccess = { address, namespace: options.namespace };
  await untilReady(child, () => serves(access));
  // A database of an earlier Dormouse version lacks newer attributes, and the flags don't add to it.
  await registerAttributes(access);
  return { address, namespace: options.namespace, uiUrl: `http://${loopbackHost}:${options.uiPort}` };
}

/**
 * Registers the search attributes that the namespace lacks.
 * @throws StackError when the server can't be reached, has one with another type, or does not permit it.
 */
export async function registerAttributes(access: TemporalAccess): Promise<void> {
  const connection = await connect(access);
  try {
    await registerSearchAttributes(connection, access.namespace);
  } catch (error) {
    throw new StackError(describeAttributeProblem(access, messageOf(error)), { cause: error });
  } finally {
    await connection.close();
  }
}

function describeAttributeProblem(access: TemporalAccess, problem: string): string {
  const flags = Object.entries(searchAttributes).map(([name, type]) => `--name ${name} --type ${type}`);
  return [
    `Dormouse's search attributes could not be registered in namespace "${access.namespace}" of the Temporal at ${access.address}:`,
    `    ${problem}`,
    'Have somebody with the permission do it:',
    ...flags.map(
      (flag) => `    temporal operator search-attribute create --namespace ${access.namespace} ${flag}`,
    ),
  ].join('\n');
}

async function serves(access: TemporalAccess): Promise<boolean> {
  const connection = await connect(access);
  try {
    await connection.workflowService.describeNamespace({ namespace: access.namespace });
    return true;
  } finally {
    await connection.close();
  }
}

function connect(access: TemporalAccess): Promise<Connection> {
  return Connection.connect({
    address: access.address,
    connectTimeout: 5000,
    ...given({ tls: access.tls, apiKey: access.apiKey }),
  });
}
