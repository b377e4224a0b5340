/** Entry point: the gateway, the HTTP interface of Dormouse for apps and operators. Thin. */

import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { Gauge } from 'prom-client';
import { createEngineDormouse } from './client/engine.js';
import { type Config, isSet, readConfig } from './config.js';
import { isRetired } from './deletion/retired-identifiers-table.js';
import { given } from './domain/given.js';
import { type HookVariable, hookKeysOf, refuseSharedCredentials } from './gateway/credentials.js';
import { openDesk } from './gateway/desk.js';
import { listen } from './gateway/listeners.js';
import type { Operations } from './gateway/operators-routes.js';
import { publishedPolicy } from './gateway/published-policy.js';
import { refreshRegistry } from './gateway/refresh-registry.js';
import { refreshService } from './gateway/refresh-service.js';
import type { HookOptions } from './gateway/server.js';
import { guardForPage } from './gateway/sessions-page.js';
import { slidingAccess } from './gateway/sliding-access.js';
import { tokensForPage } from './gateway/tokens-page.js';
import { gatewayVariables, pageVariables } from './gateway/variables.js';
import type { SessionGuard } from './middleware/idle-sessions/guard.js';
import { exposeGuards } from './middleware/metrics.js';
import type { PersonalTokens } from './middleware/personal-tokens/personal-tokens.js';
import { type Observed, observe } from './observability/observe.js';
import { watchPools } from './observability/pool-metrics.js';
import { databaseIsReady, temporalIsReady } from './observability/ready-when.js';
import { startTracing } from './observability/start-tracing.js';
import { createKratosClient } from './ory/clients.js';
import type { PagesOptions } from './people-pages/page.js';
import { warnUnlessPublished } from './policies/start.js';
import { createPool } from './postgres/pool.js';
import { prepareDatabase } from './postgres/prepare.js';
import { CredentialDirectory } from './principals/directory.js';
import { loadOperators } from './principals/load-operators.js';
import type { OperatorsIssuer } from './principals/operators-file.js';
import { refusalsTo } from './principals/refusals.js';
import { runEntry } from './process/entry.js';
import { createLogger, type Logger } from './process/logger.js';
import { onShutdown } from './process/shutdown.js';
import { clientOptions, connectionOptions, type TemporalConfig } from './process/temporal-options.js';
import { traceInterceptor } from './process/temporal-traces.js';
import { loadPublication } from './security-events/load.js';
import { readTokenStanding } from './tokens/token-standings.js';

type HookSetting = 'DORMOUSE_TOKEN_HOOK_FAILURE' | 'DORMOUSE_IDENTIFIER_KEY' | 'DORMOUSE_POLICY_ID';

await runEntry('dormouse-gateway', main);

async function main(): Promise<void> {
  const config = readConfig(gatewayVariables);
  refuseSharedCredentials(config);
  const log = createLogger('dormouse-gateway', config.DORMOUSE_LOG_LEVEL);
  const traces = await startTracing(config, 'dormouse-gateway', log);
  const observed = await observe('gateway', config.DORMOUSE_METRICS_LISTEN);
  await prepareDatabase({
    url: config.DORMOUSE_POSTGRES_URL,
    migrationUrl: config.DORMOUSE_POSTGRES_MIGRATION_URL,
  });

  const dormouse = createEngineDormouse({
    ...clientOptions(config),
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
  });
  // A pool of its own, so that tokens are issued even when the client's connections are busy.
  const pool = createPool({
    url: config.DORMOUSE_POSTGRES_URL,
    connectTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    onError: (error) => log.warn({ err: error }, 'a connection to PostgreSQL broke'),
  });
  await warnUnlessPublished({ pool, log, policyId: config.DORMOUSE_POLICY_ID });
  const securityEvents = await loadPublication(config);
  const sessions = config.DORMOUSE_SESSIONS_PAGE === 'on' ? await guardForPage(config, log) : undefined;
  const tokens = config.DORMOUSE_PERSONAL_TOKENS_PAGE === 'on' ? await tokensForPage(config, log) : undefined;
  const refreshTokens = refreshService(config, dormouse);
  const onStoreError = (error: unknown) =>
    log.warn({ err: error }, 'credentials could not be read or written; what was known counts for a minute');
  const credentials = new CredentialDirectory({
    pool,
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
    onError: onStoreError,
  });
  await credentials.start();
  const refusals = refusalsTo(pool, onStoreError);
  const operators = await loadOperators(config.DORMOUSE_OPERATORS_FILE, (error) =>
    log.warn({ err: error }, "operators' tokens could not be verified"),
  );
  const temporal = Connection.lazy(connectionOptions(config));
  const operations = operationsOf(config, temporal, operators?.issuers ?? [], log);
  const opened = openDesk(config, operators, operations, log);
  if (sessions !== undefined) exposeGuards({ Gauge, registry: observed.registry }, { sessions });
  if (observed.url !== undefined) log.info({ metrics: observed.url }, 'metrics ready');
  const close = await listen(
    {
      dormouse,
      serviceTokens: config.DORMOUSE_SERVICE_TOKENS,
      eventSecrets: config.DORMOUSE_EVENT_SECRETS ?? [],
      hooks: hooksOf(config, pool, log),
      ...pagesOf(config.DORMOUSE_LINK_BASE_URL, pool, { sessions, tokens }),
      ...given({ trustedProxies: config.DORMOUSE_TRUSTED_PROXIES, refreshTokens }),
      ...(securityEvents && { securityEvents }),
      ...given({ operators: operators?.tokens, desk: opened?.desk }),
      ...{ credentials, refusals, log, breaker: operations.pool, operations, metrics: observed.registry },
    },
    {
      public: { host: config.DORMOUSE_GATEWAY_HOST, port: config.DORMOUSE_GATEWAY_PORT },
      operators: config.DORMOUSE_OPERATORS_LISTEN,
    },
  );

  observeGateway(observed, pool, temporal, config);

  onShutdown(log, async () => {
    observed.stopping();
    await close();
    await credentials.close();
    await refusals.close();
    await sessions?.close();
    await tokens?.close();
    await refreshTokens?.close();
    await opened?.close();
    await dormouse.close();
    await pool.end();
    await operations.pool.end();
    await temporal.close();
    await observed.close();
    await traces?.close();
  });
}

/** Signs of life and standings need PostgreSQL only, so a Temporal that is away makes no gateway unready. */
function observeGateway(
  observed: Observed,
  pool: pg.Pool,
  temporal: Connection,
  config: TemporalConfig,
): void {
  const { checks, registry } = observed;
  watchPools(registry, { hooks: pool });
  checks.add('database', databaseIsReady(pool));
  checks.add('temporal', temporalIsReady(temporal, config.DORMOUSE_TEMPORAL_NAMESPACE), false);
  checks.begun();
}

/** What operators ask may take long, so it has connections of its own. */
function operationsOf(
  config: TemporalConfig &
    Pick<
      Config,
      'DORMOUSE_POSTGRES_URL' | 'DORMOUSE_POLICY_ID' | 'DORMOUSE_MAIL_UNVERIFIED' | 'DORMOUSE_DESK_URL'
    >,
  temporal: Connection,
  issuers: readonly OperatorsIssuer[],
  log: Logger,
): Operations {
  const pool = createPool({
    ...{ url: config.DORMOUSE_POSTGRES_URL, max: 4 },
    ...{ connectTimeoutMs: 5_000, statementTimeoutMs: 60_000 },
    onError: (error) => log.warn({ err: error }, 'a connection to PostgreSQL broke'),
  });
  return {
    ...{ pool, issuers, taskQueue: config.DORMOUSE_TASK_QUEUE },
    ...{ policyId: config.DORMOUSE_POLICY_ID, unverified: config.DORMOUSE_MAIL_UNVERIFIED },
    temporal: new Client({
      connection: temporal,
      namespace: config.DORMOUSE_TEMPORAL_NAMESPACE,
      interceptors: { workflow: [traceInterceptor] },
    }),
    ...given({ identities: kratosOf(config.DORMOUSE_DESK_URL !== undefined) }),
  };
}

/** A gateway without pages worked without Kratos in earlier releases. @throws ConfigError where it is needed and not named */
function kratosOf(isNeeded: boolean) {
  if (!isNeeded && !isSet('DORMOUSE_KRATOS_ADMIN_URL')) return undefined;
  const ory = readConfig(['DORMOUSE_KRATOS_ADMIN_URL', 'DORMOUSE_ORY_TOKEN']);
  return createKratosClient(ory.DORMOUSE_KRATOS_ADMIN_URL, { token: ory.DORMOUSE_ORY_TOKEN });
}

function hooksOf(config: Pick<Config, HookVariable | HookSetting>, pool: pg.Pool, log: Logger): HookOptions {
  const { kratos, hydra, mail } = hookKeysOf(config);
  const identifierKey = config.DORMOUSE_IDENTIFIER_KEY;
  const published = publishedPolicy(pool, config.DORMOUSE_POLICY_ID);
  const isRetiredName =
    identifierKey === undefined
      ? {}
      : { isRetired: (names: readonly string[]) => isRetired(pool, identifierKey, names, Date.now()) };
  return {
    ...(kratos && { kratos: { keys: kratos, ...isRetiredName } }),
    ...(hydra && {
      hydra: {
        keys: hydra,
        readStanding: (identityId) => readTokenStanding(pool, identityId),
        onFailure: config.DORMOUSE_TOKEN_HOOK_FAILURE,
        admitSliding: slidingAccess(pool, published),
        followGrant: refreshRegistry(pool, published, (error) =>
          log.warn({ err: error }, 'stale refresh tokens were left to the sweep'),
        ),
      },
    }),
    ...(mail && { mail: { keys: mail } }),
  };
}

/** The pages' settings are required only where there are pages. */
function pagesOf(
  baseUrl: string | undefined,
  pool: pg.Pool,
  own: { readonly sessions: SessionGuard | undefined; readonly tokens: PersonalTokens | undefined },
): { pages?: PagesOptions } {
  if (baseUrl === undefined) return {};
  const config = readConfig(pageVariables);
  const identities = createKratosClient(config.DORMOUSE_KRATOS_ADMIN_URL, {
    token: config.DORMOUSE_ORY_TOKEN,
  });
  const { DORMOUSE_SIGN_IN_URL: signInUrl, DORMOUSE_PRODUCT_NAME: productName } = config;
  const identifierKey = config.DORMOUSE_IDENTIFIER_KEY;
  const pages: PagesOptions = {
    pool,
    identities,
    productName,
    signInUrl,
    baseUrl,
    ...given({ identifierKey, ...own }),
  };
  return { pages };
}
