/** What is behind the desk, by the gateway's settings. */
import { variables } from '../config/variables.js';
import { type Config, ConfigError } from '../config.js';
import type { DeskOptions } from '../desk/context.js';
import { signedInPath } from '../desk/sign-in-pages.js';
import { given } from '../domain/given.js';
import { createPool } from '../postgres/pool.js';
import type { Operators } from '../principals/load-operators.js';
import { SignIn } from '../principals/sign-in.js';
import type { Logger } from '../process/logger.js';
import type { Operations } from './operators-routes.js';

type DeskConfig = Pick<
  Config,
  | 'DORMOUSE_POSTGRES_URL'
  | 'DORMOUSE_DESK_URL'
  | 'DORMOUSE_TEMPORAL_UI_URL'
  | 'DORMOUSE_PRODUCT_NAME'
  | 'DORMOUSE_TEMPORAL_NAMESPACE'
>;

export interface OpenedDesk {
  readonly desk: DeskOptions;
  close(): Promise<void>;
}

/**
 * @param operations whose Temporal and Kratos the desk shares with the API. Connections to PostgreSQL are its own, so that exports hold up no page
 * @returns `undefined`: there is no desk. @throws ConfigError where nobody could sign in
 */
export function openDesk(
  config: DeskConfig,
  operators: Operators | undefined,
  { temporal, taskQueue, identities, unverified }: Omit<Operations, 'pool'>,
  log: Logger,
): OpenedDesk | undefined {
  const url = config.DORMOUSE_DESK_URL;
  if (url === undefined) return undefined;
  if (operators === undefined || operators.issuers.every(({ desk }) => desk === undefined)) {
    throw new ConfigError(
      'DORMOUSE_DESK_URL is set, and no issuer of DORMOUSE_OPERATORS_FILE has a section "desk": nobody could sign in. Add one (docs/desk.md), or take DORMOUSE_DESK_URL off',
    );
  }
  if (new URL(url).pathname !== '/') {
    throw new ConfigError(
      'DORMOUSE_DESK_URL has a path. The desk is served below /desk of a host: name the host alone, as https://desk.example.com',
    );
  }
  const ui = config.DORMOUSE_TEMPORAL_UI_URL;
  const pool = createPool({
    ...{ url: config.DORMOUSE_POSTGRES_URL, max: 4 },
    onError: (error) => log.warn({ err: error }, "a connection of the desk's to PostgreSQL broke"),
  });
  return {
    desk: {
      ...{ pool, url, unverified, productName: nameOf(config.DORMOUSE_PRODUCT_NAME) },
      signIn: new SignIn({
        ...operators,
        redirectUri: new URL(signedInPath, url).href,
        onError: (error) => log.warn({ err: error }, 'an operator could not be signed in'),
      }),
      ...given({ identities }),
      rollouts: { client: temporal, taskQueue },
      ...(ui !== undefined && { temporalUi: { url: ui, namespace: config.DORMOUSE_TEMPORAL_NAMESPACE } }),
    },
    close: () => pool.end(),
  };
}

/** Mails call a product without a name "your account", which names no desk. */
function nameOf(product: string): string {
  return product === variables.DORMOUSE_PRODUCT_NAME.parse(undefined) ? 'Dormouse' : product;
}
