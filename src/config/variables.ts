import { z } from 'zod';
import { dayMs } from '../domain/duration.js';
import { mailProviders, unverifiedChoices } from '../domain/mail-choices.js';
import { policyIdPattern } from '../domain/names.js';
import {
  callRate,
  callRateOrAuto,
  concurrency,
  eventSecrets,
  flag,
  httpUrl,
  keptFor,
  linkBaseUrl,
  logKeptFor,
  networks,
  otlpHeaders,
  port,
  recipients,
  serviceTokens,
  url,
} from './forms.js';
import { listenAddress } from './listen-address.js';

/** The names that OpenTelemetry gives to samplers, as far as Dormouse has them. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof samplerNames)[number];

/**
 * Every variable that Dormouse reads, with its meaning. Tests check documentation and
 * docker-compose.yml against this list.
 */
export const variables = {
  DORMOUSE_TEMPORAL_ADDRESS: z
    .string()
    .default('127.0.0.1:7233')
    .describe('host:port of the Temporal frontend'),
  DORMOUSE_TEMPORAL_NAMESPACE: z.string().default('default').describe('Temporal namespace'),
  DORMOUSE_TEMPORAL_API_KEY: z.string().optional().describe('API key, for Temporal Cloud'),
  DORMOUSE_TEMPORAL_TLS: flag.default(false).describe('true: connect to Temporal by TLS'),
  DORMOUSE_TASK_QUEUE: z
    .string()
    .min(1)
    .default('dormouse')
    .describe("task queue of the workflows; the activities' queues are named after it"),
  DORMOUSE_WORKER_VERSIONING: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'on: each build of the workers is a version of a Temporal worker deployment, and only the current one gets tasks (docs/upgrades.md); off: for a Temporal server before 1.28',
    ),
  DORMOUSE_ROLLBACK_TO: z
    .string()
    .regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}$/, { message: 'must be a release, as 0.1.0' })
    .optional()
    .describe(
      'release that the workers may still have to be taken back to: changes of course that came later are not begun (docs/upgrades.md); unset: all are',
    ),
  DORMOUSE_POSTGRES_URL: url(['postgres', 'postgresql']).describe(
    "connection URL of Dormouse's own database",
  ),
  DORMOUSE_POSTGRES_MIGRATION_URL: url(['postgres', 'postgresql'])
    .optional()
    .describe(
      "connection URL of the tables' owner, for migrations (docs/audit.md); unset: DORMOUSE_POSTGRES_URL owns them",
    ),
  DORMOUSE_KRATOS_PUBLIC_URL: httpUrl.describe('Kratos public API'),
  DORMOUSE_KRATOS_ADMIN_URL: httpUrl.describe('Kratos admin API'),
  DORMOUSE_HYDRA_PUBLIC_URL: httpUrl.describe('Hydra public API'),
  DORMOUSE_HYDRA_ADMIN_URL: httpUrl.describe('Hydra admin API'),
  DORMOUSE_ORY_TOKEN: z.string().optional().describe('bearer token for the admin APIs, for Ory Network'),
  DORMOUSE_IDENTIFIER_KEY: z
    .string()
    .min(32, { message: 'needs at least 32 characters (for example: openssl rand -base64 32)' })
    .optional()
    .describe(
      'secret by which identifiers of deleted accounts are recognised, the same for workers and gateway (docs/deletion.md); unset: nothing is deleted under a policy with refuseIdentifiersFor',
    ),
  DORMOUSE_SMTP_URL: url(['smtp', 'smtps']).describe('mail server, with credentials if it needs them'),
  DORMOUSE_MAIL_FROM: z
    .string()
    .default('Dormouse <no-reply@localhost>')
    .describe('From address of all mails'),
  DORMOUSE_MAIL_RETURN_PATH: z
    .string()
    .max(254)
    .optional()
    .describe(
      'address that mails come back to, as bounces@acorn.example: each to bounces+<its name>@acorn.example (docs/mail.md); unset: the address of DORMOUSE_MAIL_FROM',
    ),
  DORMOUSE_MAIL_PROVIDER: z
    .enum(['none', ...mailProviders])
    .default('none')
    .describe('whose mail server DORMOUSE_SMTP_URL is: mails are tagged so that its events name them'),
  DORMOUSE_MAIL_RATE: z.coerce
    .number()
    .min(0.01)
    .max(1_000)
    .default(20)
    .describe('mails a second, at most, over all workers; 0.01 is one in 100 s'),
  DORMOUSE_MAIL_UNVERIFIED: z
    .enum(unverifiedChoices)
    .default('last-resort')
    .describe(
      'addresses that nobody confirmed: last-resort writes to them where there is no other; never leaves them out, so notices to such people reach nobody',
    ),
  DORMOUSE_RATE_KRATOS: callRateOrAuto
    .default('auto')
    .describe(
      'calls a second that all workers together make to Kratos, at most (docs/rates.md); auto: found from what it answers',
    ),
  DORMOUSE_RATE_HYDRA: callRateOrAuto.default('auto').describe('the same for Hydra'),
  DORMOUSE_RATE_LEDGER: callRate
    .default(500)
    .describe("activities a second on Dormouse's own database, at most, over all workers"),
  DORMOUSE_RATE_SIGNALS: callRate
    .default(20)
    .describe('calls a second that deliver security events, at most, over all workers'),
  DORMOUSE_CONCURRENCY_KRATOS: concurrency
    .default(20)
    .describe('activities with Kratos that one worker has under way, at most'),
  DORMOUSE_CONCURRENCY_HYDRA: concurrency.default(10).describe('the same for Hydra'),
  DORMOUSE_CONCURRENCY_MAIL: concurrency.default(10).describe('the same for mails'),
  DORMOUSE_CONCURRENCY_LEDGER: concurrency.default(40).describe("the same for Dormouse's own database"),
  DORMOUSE_CONCURRENCY_SIGNALS: concurrency
    .default(10)
    .describe('the same for deliveries of security events'),
  DORMOUSE_REPORT_RECIPIENTS: recipients
    .optional()
    .describe(
      "addresses that get each month's report by mail (docs/audit.md), comma-separated, 20 at most; unset: nobody",
    ),
  DORMOUSE_PRODUCT_NAME: z
    .string()
    .default('your account')
    .describe('what mails call the product that the account belongs to'),
  DORMOUSE_SIGN_IN_URL: httpUrl
    .default('http://127.0.0.1:4455/login')
    .describe('the page that mails link to for signing in'),
  DORMOUSE_LINK_BASE_URL: linkBaseUrl
    .optional()
    .describe(
      'public address of the gateway, for the links that people get by mail (docs/self-service.md); unset: no links, no pages',
    ),
  DORMOUSE_TRUSTED_PROXIES: networks
    .optional()
    .describe(
      'addresses or networks of the reverse proxies in front of the gateway, comma-separated: their X-Forwarded-For names the caller whose requests are counted; unset: none',
    ),
  DORMOUSE_POLICY_FILE: z
    .string()
    .default('policies/default.yaml')
    .describe(
      'a policy file: published as the first version of its policy, and never again (docs/policies.md)',
    ),
  DORMOUSE_POLICY_ID: z
    .string()
    .regex(policyIdPattern, {
      message:
        'must be the id in a policy file: a lower-case letter, then lower-case letters, digits and hyphens, 32 at most',
    })
    .default('default')
    .describe(
      'id of the policy that identities follow unless told otherwise, the same for workers, gateway and apps; a version of it must be published',
    ),
  DORMOUSE_KEEP_MAILS: keptFor
    .default(1_095 * dayMs)
    .describe('how long mails of absences that are over are kept, as 1095d (docs/personal-data.md)'),
  DORMOUSE_KEEP_OPERATIONS: keptFor
    .default(400 * dayMs)
    .describe(
      'how long sweeps, released trips of the breaker, events that no receiver took and the feed of signs are kept, as 400d',
    ),
  DORMOUSE_KEEP_REQUEST_LOG: logKeptFor
    .default(30 * dayMs)
    .describe(
      'how long what apps log of requests with access tokens is kept, as 30d (docs/inactive-tokens.md)',
    ),
  DORMOUSE_RECONCILE_EVERY: z
    .string()
    .regex(/^(off|[1-9]\d{0,8}[mhd])$/, { message: 'must be off, or a duration of at least a minute as 1h' })
    .default('1h')
    .describe(
      'how often identities without lifecycle are looked for and enrolled, as 1h; off: never on its own',
    ),
  DORMOUSE_SESSIONS_EVERY: z
    .string()
    .regex(/^(off|[1-9]\d{0,8}[mhd])$/, { message: 'must be off, or a duration of at least a minute as 1m' })
    .default('1m')
    .describe('how often sessions over their limits are ended that nobody asks for, as 1m; off: never'),
  DORMOUSE_PERSONAL_TOKENS_EVERY: z
    .string()
    .regex(/^(off|[1-9]\d{0,8}[mhd])$/, { message: 'must be off, or a duration of at least a minute as 1h' })
    .default('1h')
    .describe('how often personal access tokens over their limits are ended, as 1h; off: never'),
  DORMOUSE_REFRESH_EVERY: z
    .string()
    .regex(/^(off|[1-9]\d{0,8}[mhd])$/, { message: 'must be off, or a duration of at least a minute as 1h' })
    .default('1h')
    .describe('how often stale refresh tokens are ended that nobody uses, as 1h; off: never'),
  DORMOUSE_RECONCILE_RATE: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .describe('lifecycles that a reconciliation starts a second, at most'),
  DORMOUSE_RECONCILE_KRATOS_RATE: z.coerce
    .number()
    .min(0.1)
    .max(1_000)
    .default(5)
    .describe('lists of identities that a reconciliation asks of Kratos a second, at most'),
  DORMOUSE_AUDIT_SIGNING_KEY: z
    .string()
    .optional()
    .describe(
      'private key that signs the heads of the audit log, as JWK or PKCS#8 PEM (dormouse audit keygen); unset: they are not signed',
    ),
  DORMOUSE_DATA_KEY: z
    .string()
    .optional()
    .describe(
      'key that personal data is encrypted under: 32 bytes in base64 (dormouse keys generate), or two, the new one first, while one is rotated out; unset: no personal data is kept',
    ),
  DORMOUSE_ACTIVITY_SOURCES_FILE: z
    .string()
    .optional()
    .describe(
      "the apps' audit tables that are read for signs of life (docs/activity/sql-source.md); unset: none",
    ),
  DORMOUSE_TOKEN_SOURCES_FILE: z
    .string()
    .optional()
    .describe(
      "the apps' own tables of personal access tokens that are swept (docs/personal-access-tokens.md); unset: none",
    ),
  DORMOUSE_SHARED_SIGNALS_FILE: z
    .string()
    .optional()
    .describe('who receives security events (docs/shared-signals.md); unset: nobody'),
  DORMOUSE_SHARED_SIGNALS_KEY: z
    .string()
    .optional()
    .describe(
      'private key that signs security events, as JWK, JWK set or PEM (dormouse signals keygen); a gateway needs the public half only',
    ),
  DORMOUSE_GATEWAY_HOST: z.string().default('127.0.0.1').describe('address that the gateway listens on'),
  DORMOUSE_GATEWAY_PORT: port.default(8321).describe('port that the gateway listens on; 0 takes a free one'),
  DORMOUSE_OPERATORS_LISTEN: listenAddress
    .prefault('127.0.0.1:8322')
    .describe(
      "address and port that the operators' API listens on (docs/principals.md); the gateway's own address and port: one listener serves both",
    ),
  DORMOUSE_OPERATORS_FILE: z
    .string()
    .optional()
    .describe(
      'the OIDC issuers by which operators sign in, and their roles (docs/principals.md); unset: none',
    ),
  DORMOUSE_DESK_URL: linkBaseUrl
    .optional()
    .describe(
      "address of the operators' listener as their browsers reach it, for the desk (docs/desk.md) and for links to it in the Temporal UI; unset: no desk",
    ),
  DORMOUSE_TEMPORAL_UI_URL: httpUrl
    .optional()
    .describe('address of the Temporal UI, which the desk links to; unset: nothing links there'),
  DORMOUSE_SESSIONS_PAGE: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      "whether the gateway serves the page with a person's own sessions (docs/idle-sessions.md); it has to get the cookie of Kratos",
    ),
  DORMOUSE_PERSONAL_TOKENS_PAGE: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      "whether the gateway serves the page with a person's own access tokens (docs/personal-access-tokens.md); needs DORMOUSE_SESSIONS_PAGE",
    ),
  DORMOUSE_REFRESH_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/_-]{43}=?$/, {
      message: 'takes 32 bytes in base64 (for example: openssl rand -base64 32)',
    })
    .optional()
    .describe(
      'key of the refresh tokens that the gateway issues for apps (docs/refresh-tokens.md); unset: it has no such routes',
    ),
  DORMOUSE_METRICS_LISTEN: listenAddress
    .optional()
    .describe(
      'where worker and gateway each answer /metrics, /livez and /readyz, without a credential (docs/observability.md): a port of the loopback address as 9464, or address and port; unset: nowhere',
    ),
  DORMOUSE_WORKER_HEALTH_PORT: port.optional().describe("port of the worker's /healthz; unset: none"),
  DORMOUSE_SERVICE_TOKENS: serviceTokens.describe(
    'bearer tokens of apps and operators that may call the gateway',
  ),
  DORMOUSE_KRATOS_HOOK_KEYS: serviceTokens
    .optional()
    .describe('API keys of the Kratos web hooks (two while one is rotated out); unset: Kratos calls no hook'),
  DORMOUSE_HYDRA_HOOK_KEYS: serviceTokens
    .optional()
    .describe(
      'API keys of the Hydra token hook (two while one is rotated out); unset: Hydra asks before no token',
    ),
  DORMOUSE_MAIL_HOOK_KEYS: serviceTokens
    .optional()
    .describe(
      "API keys of the mail provider, for bounces (two while one is rotated out); unset: bounces come with an app's service token only",
    ),
  DORMOUSE_EVENT_SECRETS: eventSecrets
    .optional()
    .describe(
      'HMAC secrets of signed events (two while one is rotated out); unset: unsigned events by service token only',
    ),
  DORMOUSE_TOKEN_HOOK_FAILURE: z
    .enum(['open', 'closed'])
    .default('closed')
    .describe(
      "what the Hydra token hook does when the standing can't be read: open allows the token, closed denies it",
    ),
  DORMOUSE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('log level'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl
    .optional()
    .describe(
      'collector that worker and gateway send traces to over OTLP/HTTP, as http://127.0.0.1:4318 (docs/observability.md); unset: nothing is traced',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: otlpHeaders
    .optional()
    .describe(
      'headers for the collector, as name=value, comma-separated, values percent-encoded; may hold a secret',
    ),
  OTEL_SERVICE_NAME: z
    .string()
    .max(100)
    .optional()
    .describe('what traces call the process; unset: dormouse-worker and dormouse-gateway'),
  OTEL_TRACES_SAMPLER: z
    .enum(samplerNames)
    .default('parentbased_always_on')
    .describe('which traces are taken; parentbased_…: those of an app as the app decided'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('the part that a sampler by ratio takes, 0 to 1'),
} as const;
