/** An operator's desk: a gateway with named credentials, and the command line that knows nothing but its address and a credential. */
import { inject } from 'vitest';
import { type RouteScope, scopeRules } from '../../src/domain/principals/scopes.js';
import { createPool } from '../../src/postgres/pool.js';
import { CredentialDirectory } from '../../src/principals/directory.js';
import { createCredential } from '../../src/principals/issue.js';
import { typed } from './command.js';
import { listenGateway, type TestGateway, type TestGatewayOptions } from './gateway.js';
import { fresh } from './system-outside.js';

/** All scopes of operators. */
export const operatorsScopes = (Object.keys(scopeRules) as RouteScope[]).filter(
  (scope) => scopeRules[scope].side !== 'public',
);

export interface Operator {
  readonly actor: string;
  readonly secret: string;
  /** The whole environment of their command line. */
  readonly environment: Record<string, string>;
  /** `dormouse …`, as they type it. */
  typed(args: readonly string[], input?: string): ReturnType<typeof typed>;
}

export interface Desk {
  readonly gateway: TestGateway;
  /** Somebody with a credential of their own. @param scopes default: all of operators */
  operator(owner?: string, scopes?: readonly string[]): Promise<Operator>;
  close(): Promise<void>;
}

export interface DeskOptions extends Partial<TestGatewayOptions> {
  /** Where the credentials are. Default: in Dormouse's database, whose audit log then has them. */
  readonly credentialsUrl?: string;
}

export async function openDesk({ postgresUrl, credentialsUrl, ...options }: DeskOptions = {}): Promise<Desk> {
  const stack = inject('stack');
  const url = credentialsUrl ?? postgresUrl ?? stack.postgres.runtimeUrl;
  const pool = createPool({ url });
  const onError = (error: unknown) => {
    throw error;
  };
  const directory = new CredentialDirectory({ pool, postgresUrl: url, onError });
  await directory.start();
  const gateway = await listenGateway({
    stack,
    ...options,
    ...(postgresUrl !== undefined && { postgresUrl }),
    more: { credentials: directory, ...options.more },
  });
  return {
    gateway,
    async operator(owner = fresh('operator'), scopes = operatorsScopes) {
      const name = fresh('c').toLowerCase();
      const secret = await createCredential(pool, { name, owner, scopes, networks: [], actor: 'tests' });
      await directory.refresh();
      const environment = {
        DORMOUSE_GATEWAY: gateway.url,
        DORMOUSE_TOKEN: secret,
        XDG_CONFIG_HOME: '/nonexistent',
      };
      return {
        ...{ actor: `credential:${name}`, secret, environment },
        typed: (args, input) => typed(environment, args, input),
      };
    },
    async close() {
      await gateway.close();
      await directory.close();
      await pool.end();
    },
  };
}
