/** Dormouse itself in the stack: the worker and the gateway, each in its own process. */
import { join } from 'node:path';
import { requestOk } from './http-check.js';
import { logFileOf, type PartContext } from './part-context.js';
import { projectDirectory } from './project.js';
import { untilReady } from './supervisor.js';

export interface DormouseOptions {
  /** The `DORMOUSE_*` variables. */
  environment: Record<string, string>;
  /** Where the gateway will listen. */
  gatewayUrl: string;
}

/** Their ready line has level info. A quieter setting of the user would hide it from the stack. */
const audibleLevels = ['info', 'debug', 'trace'];

export async function startWorker(context: PartContext, options: DormouseOptions): Promise<void> {
  const child = await startEntryPoint(context, 'worker', options);
  await untilReady(child, () => child.readLog().includes('"msg":"worker ready"'), 90_000);
}

export async function startGateway(context: PartContext, options: DormouseOptions): Promise<void> {
  const child = await startEntryPoint(context, 'gateway', options);
  await untilReady(child, () => child.readLog().includes('"msg":"gateway ready"'), 90_000);
  await untilReady(child, () => requestOk(`${options.gatewayUrl}/healthz`), 30_000);
}

function startEntryPoint(context: PartContext, name: 'worker' | 'gateway', options: DormouseOptions) {
  return context.supervisor.start({
    name,
    rank: 'application',
    // Node with tsx as a loader is one process. The tsx program would be a second one that forwards signals.
    command: process.execPath,
    arguments: ['--import', import.meta.resolve('tsx'), join(projectDirectory, 'src', `${name}.ts`)],
    environment: entryPointEnvironment(context, options),
    logFile: logFileOf(context, name),
    workingDirectory: projectDirectory,
    graceMs: 15_000,
  });
}

function entryPointEnvironment(context: PartContext, options: DormouseOptions): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [variable, value] of Object.entries(context.inherited)) {
    if (value !== undefined) environment[variable] = value;
  }
  Object.assign(environment, options.environment);
  if (!audibleLevels.includes(environment.DORMOUSE_LOG_LEVEL ?? 'info'))
    environment.DORMOUSE_LOG_LEVEL = 'info';
  return environment;
}
