/** What a worker reads from its environment. */
import { temporalVariables } from '../process/temporal-options.js';
import { reconcileVariables } from '../reconciliation/schedule.js';
import { securityEventVariables } from '../security-events/load.js';
import { activityVariables } from './activity-set.js';
import { workerLimitVariables } from './worker-limits.js';

export const workerVariables = [
  ...temporalVariables,
  ...activityVariables,
  ...reconcileVariables,
  'DORMOUSE_SESSIONS_EVERY',
  'DORMOUSE_PERSONAL_TOKENS_EVERY',
  'DORMOUSE_REFRESH_EVERY',
  ...securityEventVariables,
  'DORMOUSE_POSTGRES_MIGRATION_URL',
  'DORMOUSE_POLICY_FILE',
  ...workerLimitVariables,
  'DORMOUSE_RATE_KRATOS',
  'DORMOUSE_RATE_HYDRA',
  'DORMOUSE_KEEP_MAILS',
  'DORMOUSE_KEEP_OPERATIONS',
  'DORMOUSE_KEEP_REQUEST_LOG',
  'DORMOUSE_ACTIVITY_SOURCES_FILE',
  'DORMOUSE_TOKEN_SOURCES_FILE',
  'DORMOUSE_AUDIT_SIGNING_KEY',
  'DORMOUSE_METRICS_LISTEN',
  'DORMOUSE_WORKER_HEALTH_PORT',
  'DORMOUSE_WORKER_VERSIONING',
  'DORMOUSE_ROLLBACK_TO',
  'DORMOUSE_LOG_LEVEL',
] as const;
