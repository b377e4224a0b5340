/** Connects the commands to the system that the environment names. */
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { createEngineDormouse, type EngineDormouse } from '../client/engine.js';
import { readConfig } from '../config.js';
import { createPool } from '../postgres/pool.js';
import type { DatabaseUrls } from '../postgres/prepare.js';
import { clientOptions, clientVariables, connectionOptions } from '../process/temporal-options.js';

export function findKeyText(name: 'DORMOUSE_AUDIT_SIGNING_KEY' | 'DORMOUSE_DATA_KEY'): string | undefined {
  return readConfig([name])[name];
}

/** The database and the role for migrations. @throws ConfigError */
export function findDatabase(): DatabaseUrls {
  const config = readConfig(['DORMOUSE_POSTGRES_URL', 'DORMOUSE_POSTGRES_MIGRATION_URL']);
  return { url: config.DORMOUSE_POSTGRES_URL, migrationUrl: config.DORMOUSE_POSTGRES_MIGRATION_URL };
}

const variables = [...clientVariables, 'DORMOUSE_POSTGRES_URL'] as const;

/** Runs `work` with the client, and closes it. @throws ConfigError when the environment names no Dormouse system */
export async function withDormouse<T>(work: (dormouse: EngineDormouse) => Promise<T>): Promise<T> {
  const config = readConfig(variables);
  const postgresUrl = config.DORMOUSE_POSTGRES_URL;
  const dormouse = createEngineDormouse({ ...clientOptions(config), postgresUrl, timeoutMs: 10_000 });
  try {
    return await work(dormouse);
  } finally {
    await dormouse.close();
  }
}

/** Runs `work` with Dormouse's database, and closes it. */
export async function withPool<T>(work: (pool: ReturnType<typeof createPool>) => Promise<T>): Promise<T> {
  const pool = createPool({ url: readConfig(variables).DORMOUSE_POSTGRES_URL, max: 2 });
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
  const config = readConfig(variables);
  const connection = await TemporalConnection.connect(connectionOptions(config));
  const client = new Client({ connection, namespace: config.DORMOUSE_TEMPORAL_NAMESPACE });
  try {
    return await work({ client, taskQueue: config.DORMOUSE_TASK_QUEUE });
  } finally {
    await connection.close();
  }
}
