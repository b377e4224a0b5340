/** Entry point: the gateway, through which apps and operators speak to Dormouse over HTTP. Thin. */
import { createDormouse } from './client.js';
import { readConfig } from './config.js';
import { createGateway } from './http/server.js';
import { runEntry } from './runtime/entry.js';
import { createLogger } from './runtime/logger.js';
import { onShutdown } from './runtime/shutdown.js';
import { temporalVariables } from './runtime/temporal-options.js';
import { createPool, migrate } from './store/pool.js';
import { readTokenStanding } from './store/token-standings.js';

await runEntry('dormouse-gateway', main);

async function main(): Promise<void> {
  const config = readConfig([
    ...temporalVariables,
    'DORMOUSE_POSTGRES_URL',
    'DORMOUSE_GATEWAY_HOST',
    'DORMOUSE_GATEWAY_PORT',
    'DORMOUSE_SERVICE_TOKENS',
    'DORMOUSE_HOOK_KEYS',
    'DORMOUSE_EVENT_SECRETS',
    'DORMOUSE_TOKEN_HOOK_FAILURE',
    'DORMOUSE_LOG_LEVEL',
  ]);
  const log = createLogger('dormouse-gateway', config.DORMOUSE_LOG_LEVEL);
  await migrate(config.DORMOUSE_POSTGRES_URL);

  const dormouse = createDormouse({
    temporal: {
      address: config.DORMOUSE_TEMPORAL_ADDRESS,
      namespace: config.DORMOUSE_TEMPORAL_NAMESPACE,
      ...(config.DORMOUSE_TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.DORMOUSE_TEMPORAL_API_KEY }),
      ...(config.DORMOUSE_TEMPORAL_TLS ? { tls: true } : {}),
    },
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
    taskQueue: config.DORMOUSE_TASK_QUEUE,
  });
  // Of its own, so that tokens are issued however busy the client's connections are.
  const pool = createPool({
    url: config.DORMOUSE_POSTGRES_URL,
    connectTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    onError: (error) => log.warn({ err: error }, 'a connection to PostgreSQL broke'),
  });
  const server = await createGateway({
    dormouse,
    serviceTokens: config.DORMOUSE_SERVICE_TOKENS,
    eventSecrets: config.DORMOUSE_EVENT_SECRETS ?? [],
    ...(config.DORMOUSE_HOOK_KEYS === undefined
      ? {}
      : {
          hooks: {
            keys: config.DORMOUSE_HOOK_KEYS,
            readStanding: (identityId) => readTokenStanding(pool, identityId),
            onFailure: config.DORMOUSE_TOKEN_HOOK_FAILURE,
          },
        }),
    log,
  });
  const address = await server.listen({
    host: config.DORMOUSE_GATEWAY_HOST,
    port: config.DORMOUSE_GATEWAY_PORT,
  });
  log.info({ address }, 'gateway ready');

  onShutdown(log, async () => {
    await server.close();
    await dormouse.close();
    await pool.end();
  });
}
