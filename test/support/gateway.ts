/** A gateway of a test's own, on the injected stack, with all routes on, each with its credential. */
import { Client, Connection } from '@temporalio/client';
import { type Logger, pino } from 'pino';
import type { StackInfo } from '../../dev/stack/index.js';
import { createEngineDormouse, type EngineDormouse } from '../../src/client/engine.js';
import { createGateway, type GatewayOptions } from '../../src/gateway/server.js';
import type { SessionGuard } from '../../src/middleware/idle-sessions/guard.js';
import type { PersonalTokens } from '../../src/middleware/personal-tokens/personal-tokens.js';
import { createKratosClient } from '../../src/ory/clients.js';
import { createPool } from '../../src/postgres/pool.js';
import type { OperatorsIssuer } from '../../src/principals/operators-file.js';
import type { Clock } from '../../src/process/clock.js';
import { readTokenStanding } from '../../src/tokens/token-standings.js';
import { fresh, testIdentifierKey } from './system-outside.js';

export interface TestGateway {
  readonly url: string;
  readonly tokens: readonly [string, string];
  /** Two of each purpose. */
  readonly hookKeys: Readonly<Record<'kratos' | 'hydra' | 'mail', readonly [string, string]>>;
  readonly secrets: readonly [string, string];
  readonly pool: ReturnType<typeof createPool>;
  readonly dormouse: EngineDormouse;
  readonly server: Awaited<ReturnType<typeof createGateway>>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly stack: StackInfo;
  /** Listen where the stack's Kratos and Hydra call, instead of at any port. */
  readonly atStackUrl?: boolean;
  /** Listen at this port. */
  readonly port?: number;
  readonly more?: Partial<GatewayOptions>;
  readonly log?: Logger;
  /** Another Temporal than the stack's. */
  readonly temporalAddress?: string;
  readonly clock?: Clock;
  /** With it, the gateway serves the page with a person's own sessions. */
  readonly sessions?: SessionGuard;
  /** With it, and `sessions`, the gateway serves the page with a person's own access tokens. */
  readonly personalTokens?: PersonalTokens;
  /** Where the pages are reached. Default: as the stack says. */
  readonly baseUrl?: string;
  /** Where operators sign in. Default: nowhere. */
  readonly issuers?: readonly OperatorsIssuer[];
  /** Dormouse's database. Default: the stack's. */
  readonly postgresUrl?: string;
  /** Of the workflows. Default: one of its own. */
  readonly taskQueue?: string;
  readonly wrap?: (dormouse: EngineDormouse) => EngineDormouse;
}

export async function listenGateway({
  stack,
  atStackUrl,
  port: wanted = 0,
  more,
  log,
  temporalAddress,
  clock,
  sessions,
  personalTokens,
  baseUrl = stack.gateway.url,
  issuers = [],
  postgresUrl = stack.postgres.runtimeUrl,
  taskQueue = fresh('gateway'),
  wrap,
}: TestGatewayOptions): Promise<TestGateway> {
  const tokens = [fresh('service-token-of-an-app-one'), fresh('service-token-of-an-app-two')] as const;
  const hookKeys = {
    kratos: [stack.gateway.hookKeys.kratos, fresh('kratos-hook-key-that-is-rotated-in')],
    hydra: [stack.gateway.hookKeys.hydra, fresh('hydra-hook-key-that-is-rotated-in')],
    mail: [stack.gateway.hookKeys.mail, fresh('mail-hook-key-that-is-rotated-in')],
  } as const;
  const secrets = [fresh('event-secret-of-a-sender-one'), fresh('event-secret-of-a-sender-two')] as const;
  const pool = createPool({ url: postgresUrl });
  const dormouse = createEngineDormouse({
    temporal: temporalAddress === undefined ? stack.temporal : { address: temporalAddress },
    postgresUrl,
    taskQueue,
    timeoutMs: 20_000,
  });
  const temporal = Connection.lazy({ address: temporalAddress ?? stack.temporal.address });
  const server = await createGateway({
    operations: {
      ...{ pool, issuers, taskQueue, policyId: 'default', unverified: 'last-resort' as const },
      temporal: new Client({ connection: temporal, namespace: stack.temporal.namespace }),
      identities: createKratosClient(stack.kratos.adminUrl, {}),
    },
    dormouse: wrap?.(dormouse) ?? dormouse,
    serviceTokens: tokens,
    eventSecrets: secrets,
    hooks: {
      kratos: { keys: hookKeys.kratos },
      hydra: {
        keys: hookKeys.hydra,
        readStanding: (identityId) => readTokenStanding(pool, identityId),
        onFailure: 'closed',
      },
      mail: { keys: hookKeys.mail },
    },
    pages: {
      pool,
      identities: createKratosClient(stack.kratos.adminUrl, {}),
      productName: 'Acorn',
      signInUrl: 'https://acorn.test/login',
      baseUrl,
      identifierKey: testIdentifierKey,
      ...(clock && { clock }),
      ...(sessions && { sessions }),
      ...(personalTokens && { tokens: personalTokens }),
    },
    breaker: pool,
    log: log ?? pino({ level: 'silent' }),
    ...more,
  });
  const port = atStackUrl === true ? Number(new URL(stack.gateway.url).port) : wanted;
  const url = await server.listen({ host: '127.0.0.1', port });
  const close = async () => {
    await server.close();
    await dormouse.close();
    await pool.end();
    await temporal.close();
  };
  return { url, tokens, hookKeys, secrets, pool, dormouse, server, close };
}
