/** The Temporal development server, with its UI and the search attributes that Dormouse's workflows set. */

import { Connection } from '@temporalio/client';
import { given } from '../../src/domain/given.js';
import { searchAttributes } from '../../src/domain/search-attributes.js';
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

/** Numbers of `temporal.api.enums.v1.IndexedValueType`, which the client does not export by name. */
const indexedValueTypes = { Keyword: 2, Datetime: 6 } as const satisfies Record<
  (typeof searchAttributes)[keyof typeof searchAttributes],
  number
>;

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
  await registerSearchAttributes(access);
  return { address, namespace: options.namespace, uiUrl: `http://${loopbackHost}:${options.uiPort}` };
}

/**
 * Registers the search attributes that the namespace lacks.
 * @throws StackError when the server can't be reached, has one with another type, or does not permit it.
 */
export async function registerSearchAttributes(access: TemporalAccess): Promise<void> {
  const connection = await connect(access);
  try {
    const { namespace } = access;
    const listed = await connection.operatorService.listSearchAttributes({ namespace });
    const missing: Record<string, number> = {};
    for (const [name, type] of Object.entries(searchAttributes)) {
      const found = listed.customAttributes?.[name];
      if (found === undefined) missing[name] = indexedValueTypes[type];
      else if (found !== indexedValueTypes[type]) {
        throw new StackError(`The search attribute ${name} is there with another type than ${type}.`);
      }
    }
    if (Object.keys(missing).length === 0) return;
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
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
