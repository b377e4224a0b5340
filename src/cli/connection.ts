/** What the commands talk to: the environment's system, or else the stack that `npm start` runs here. */
import { join } from 'node:path';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { createDormouse, type Dormouse } from '../client.js';
import { ConfigError, readConfig } from '../config.js';
import { clientOptions, clientVariables, connectionOptions } from '../runtime/temporal-options.js';
import { createPool } from '../store/pool.js';
import type { DatabaseUrls } from '../store/prepare.js';

export interface Connection {
  readonly dormouse: Dormouse;
  readonly postgresUrl: string;
}

/** A key of the environment, or else of the stack that runs here. */
export async function findKeyText(
  name: 'DORMOUSE_AUDIT_SIGNING_KEY' | 'DORMOUSE_DATA_KEY',
): Promise<string | undefined> {
  const given = readConfig([name])[name];
  if (given !== undefined) return given;
  const keys = (await runningStack())?.keys;
  return name === 'DORMOUSE_DATA_KEY' ? keys?.dataKey : keys?.auditSigningKey;
}

/** Where the database is, and as whom to migrate it. @throws ConfigError */
export async function findDatabase(): Promise<DatabaseUrls> {
  const stack = await runningStack();
  try {
    const config = readConfig(databaseVariables);
    return { url: config.DORMOUSE_POSTGRES_URL, migrationUrl: config.DORMOUSE_POSTGRES_MIGRATION_URL };
  } catch (error) {
    if (!(error instanceof ConfigError) || stack === undefined) throw error;
    return { url: stack.postgres.runtimeUrl, migrationUrl: stack.postgres.url };
  }
}

const databaseVariables = ['DORMOUSE_POSTGRES_URL', 'DORMOUSE_POSTGRES_MIGRATION_URL'] as const;
const variables = [...clientVariables, 'DORMOUSE_POSTGRES_URL'] as const;

/** @throws ConfigError when neither the environment nor a running stack says where Dormouse is */
export async function connect(): Promise<Connection> {
  try {
    const config = readConfig(variables);
    return {
      postgresUrl: config.DORMOUSE_POSTGRES_URL,
      dormouse: createDormouse({
        ...clientOptions(config),
        postgresUrl: config.DORMOUSE_POSTGRES_URL,
        timeoutMs: 10_000,
      }),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const stack = await runningStack();
    if (stack === undefined) throw error;
    return {
      postgresUrl: stack.postgres.runtimeUrl,
      dormouse: createDormouse({
        temporal: stack.temporal,
        postgresUrl: stack.postgres.runtimeUrl,
        timeoutMs: 10_000,
      }),
    };
  }
}

/** The embedded stack is not part of an installation; where it is absent, there is none running. */
async function runningStack() {
  const stack = await import('../stack/index.js').catch(() => undefined);
  if (stack === undefined) return undefined;
  const { projectDirectory } = await import('../stack/project.js');
  return stack.readRunningStack(join(projectDirectory, '.stack'));
}

/** Runs `work` with the client, and closes it. */
export async function withDormouse<T>(work: (dormouse: Dormouse) => Promise<T>): Promise<T> {
  const { dormouse } = await connect();
  try {
    return await work(dormouse);
  } finally {
    await dormouse.close();
  }
}

/** Runs `work` with Dormouse's database, and closes it. */
export async function withPool<T>(work: (pool: ReturnType<typeof createPool>) => Promise<T>): Promise<T> {
  const { dormouse, postgresUrl } = await connect();
  await dormouse.close();
  const pool = createPool({ url: postgresUrl, max: 2 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Runs `work` with Temporal itself and the task queue of the workflows, and closes the connection. */
export async function withTemporal<T>(
  work: (system: { client: Client; taskQueue: string }) => Promise<T>,
): Promise<T> {
  const { options, namespace, taskQueue } = await findTemporal();
  const connection = await TemporalConnection.connect(options);
  try {
    return await work({ client: new Client({ connection, namespace }), taskQueue });
  } finally {
    await connection.close();
  }
}

/** Where {@link connect} finds it. @throws ConfigError */
async function findTemporal() {
  try {
    const config = readConfig(variables);
    return {
      options: connectionOptions(config),
      namespace: config.DORMOUSE_TEMPORAL_NAMESPACE,
      taskQueue: config.DORMOUSE_TASK_QUEUE,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const stack = await runningStack();
    if (stack === undefined) throw error;
    const { address, namespace } = stack.temporal;
    return {
      options: { address },
      namespace,
      // It has a default, so it is not what is missing.
      taskQueue: readConfig(['DORMOUSE_TASK_QUEUE']).DORMOUSE_TASK_QUEUE,
    };
  }
}
