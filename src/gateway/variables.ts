/** What a gateway reads from its environment. */
import { tracingVariables } from '../observability/start-tracing.js';
import { clientVariables } from '../process/temporal-options.js';
import { securityEventVariables } from '../security-events/load.js';
import { hookVariables } from './credentials.js';

/** Always. */
export const gatewayVariables = [
  ...clientVariables,
  'DORMOUSE_POSTGRES_URL',
  'DORMOUSE_POSTGRES_MIGRATION_URL',
  'DORMOUSE_GATEWAY_HOST',
  'DORMOUSE_GATEWAY_PORT',
  'DORMOUSE_OPERATORS_LISTEN',
  'DORMOUSE_OPERATORS_FILE',
  'DORMOUSE_DESK_URL',
  'DORMOUSE_TEMPORAL_UI_URL',
  'DORMOUSE_PRODUCT_NAME',
  'DORMOUSE_SERVICE_TOKENS',
  ...hookVariables,
  'DORMOUSE_EVENT_SECRETS',
  'DORMOUSE_TOKEN_HOOK_FAILURE',
  'DORMOUSE_LINK_BASE_URL',
  'DORMOUSE_SESSIONS_PAGE',
  'DORMOUSE_PERSONAL_TOKENS_PAGE',
  'DORMOUSE_REFRESH_KEY',
  'DORMOUSE_TRUSTED_PROXIES',
  ...securityEventVariables,
  'DORMOUSE_IDENTIFIER_KEY',
  'DORMOUSE_METRICS_LISTEN',
  'DORMOUSE_MAIL_UNVERIFIED',
  'DORMOUSE_LOG_LEVEL',
  ...tracingVariables,
] as const;

/** Where it serves pages for people. */
export const pageVariables = [
  'DORMOUSE_KRATOS_ADMIN_URL',
  'DORMOUSE_ORY_TOKEN',
  'DORMOUSE_SIGN_IN_URL',
  'DORMOUSE_PRODUCT_NAME',
  'DORMOUSE_IDENTIFIER_KEY',
] as const;

/** Where it serves people's own sessions. */
export const sessionsPageVariables = [
  'DORMOUSE_KRATOS_PUBLIC_URL',
  'DORMOUSE_KRATOS_ADMIN_URL',
  'DORMOUSE_ORY_TOKEN',
] as const;
