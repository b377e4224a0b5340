/** Which variables each process of the chart gets, and where the chart takes them from. Pure. */

import { variables } from '../../src/config/variables.js';
import type { VariableName } from '../../src/config.js';
import { gatewayVariables, pageVariables, sessionsPageVariables } from '../../src/gateway/variables.js';
import { clientVariables } from '../../src/process/temporal-options.js';
import { workerVariables } from '../../src/worker/variables.js';

/** From existing Secrets only. */
export const secretVariables = [
  'DORMOUSE_TEMPORAL_API_KEY',
  'DORMOUSE_POSTGRES_URL',
  'DORMOUSE_POSTGRES_MIGRATION_URL',
  'DORMOUSE_ORY_TOKEN',
  'DORMOUSE_IDENTIFIER_KEY',
  'DORMOUSE_SMTP_URL',
  'DORMOUSE_AUDIT_SIGNING_KEY',
  'DORMOUSE_DATA_KEY',
  'DORMOUSE_SHARED_SIGNALS_KEY',
  'DORMOUSE_REFRESH_KEY',
  'DORMOUSE_SERVICE_TOKENS',
  'DORMOUSE_KRATOS_HOOK_KEYS',
  'DORMOUSE_HYDRA_HOOK_KEYS',
  'DORMOUSE_MAIL_HOOK_KEYS',
  'DORMOUSE_EVENT_SECRETS',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const satisfies readonly VariableName[];

/** The path of a file, which the chart mounts. */
export const fileVariables = [
  'DORMOUSE_POLICY_FILE',
  'DORMOUSE_ACTIVITY_SOURCES_FILE',
  'DORMOUSE_TOKEN_SOURCES_FILE',
  'DORMOUSE_SHARED_SIGNALS_FILE',
  'DORMOUSE_OPERATORS_FILE',
] as const satisfies readonly VariableName[];

/** Where processes listen: by the chart's `listen` and `ports`. */
export const listenVariables = [
  'DORMOUSE_GATEWAY_HOST',
  'DORMOUSE_GATEWAY_PORT',
  'DORMOUSE_OPERATORS_LISTEN',
  'DORMOUSE_METRICS_LISTEN',
] as const satisfies readonly VariableName[];

/** The one process that knows the owner of the tables. */
const owners: VariableName = 'DORMOUSE_POSTGRES_MIGRATION_URL';

const sorted = (names: readonly VariableName[]): VariableName[] => {
  const wanted = new Set(names);
  return (Object.keys(variables) as VariableName[]).filter((name) => wanted.has(name));
};

export const variablesOfParts: Readonly<Record<'worker' | 'gateway' | 'prepare', readonly VariableName[]>> = {
  worker: sorted(workerVariables).filter((name) => name !== owners),
  gateway: sorted([...gatewayVariables, ...pageVariables, ...sessionsPageVariables]).filter(
    (name) => name !== owners,
  ),
  /** Migrates the database and registers search attributes. */
  prepare: sorted([...clientVariables, 'DORMOUSE_POSTGRES_URL', owners]),
};

/** Those without default that worker and gateway need at their start, and the address of Temporal: its default is this machine. */
export const requiredVariables = sorted([...workerVariables, ...gatewayVariables]).filter(
  (name) => !variables[name].safeParse(undefined).success || name === 'DORMOUSE_TEMPORAL_ADDRESS',
);
