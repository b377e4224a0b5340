/** All activities over one set of connections, grouped by the outside system whose queue they run on. */

import type pg from 'pg';
import { createBreakerActivities } from '../activities/breaker.js';
import { createBurialActivities } from '../activities/burial.js';
import { createEndedTokenActivities } from '../activities/ended-token-mails.js';
import { createHydraActivities } from '../activities/hydra.js';
import { createKratosActivities } from '../activities/kratos.js';
import { createKratosDeletionActivities } from '../activities/kratos-deletion.js';
import { createLedgerActivities } from '../activities/ledger.js';
import { createMailActivities } from '../activities/mail.js';
import { createMonthReportActivities } from '../activities/month-reports.js';
import { createPersonalTokenActivities } from '../activities/personal-tokens.js';
import { createReconcileActivities } from '../activities/reconcile.js';
import { createRefreshTokenActivities } from '../activities/refresh-tokens.js';
import { createRolloutActivities } from '../activities/rollout.js';
import { createRolloutLedgerActivities } from '../activities/rollout-ledger.js';
import { createSecurityEventActivities } from '../activities/security-events.js';
import { createSessionActivities } from '../activities/sessions.js';
import { createSourcedTokenActivities } from '../activities/sourced-tokens.js';
import { createSourceActivities } from '../activities/sources.js';
import { createTokenNoticeActivities } from '../activities/token-notices.js';
import { createBatchBreaker } from '../breaker/batches.js';
import { createClockWitness } from '../breaker/clock-witness.js';
import type { Config } from '../config.js';
import { given } from '../domain/given.js';
import { parseMasterKeys } from '../keys/master-keys.js';
import { createPersonalData } from '../keys/personal-data.js';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import { createNotifiedAddresses } from '../mail/notified-addresses-table.js';
import { createOryClients } from '../ory/clients.js';
import type { Pacers } from '../pacing/start-pacers.js';
import { PolicyReader } from '../policies/policies-table.js';
import { type Clock, systemClock } from '../process/clock.js';
import type { EventSender } from '../security-events/load.js';
import { createMailTransport } from '../smtp/transport.js';
import type { ConnectedSource } from '../sources/load-sources.js';
import type { ConnectedTokenSource } from '../tokens/sourced/load.js';
import type { OutsideSystem } from '../workflows/queues.js';

export const activityVariables = [
  'DORMOUSE_POSTGRES_URL',
  'DORMOUSE_POLICY_ID',
  'DORMOUSE_KRATOS_ADMIN_URL',
  'DORMOUSE_HYDRA_ADMIN_URL',
  'DORMOUSE_ORY_TOKEN',
  'DORMOUSE_IDENTIFIER_KEY',
  'DORMOUSE_DATA_KEY',
  'DORMOUSE_SMTP_URL',
  'DORMOUSE_MAIL_FROM',
  'DORMOUSE_MAIL_RETURN_PATH',
  'DORMOUSE_MAIL_PROVIDER',
  'DORMOUSE_MAIL_UNVERIFIED',
  'DORMOUSE_REPORT_RECIPIENTS',
  'DORMOUSE_PRODUCT_NAME',
  'DORMOUSE_SIGN_IN_URL',
  'DORMOUSE_LINK_BASE_URL',
  'DORMOUSE_DESK_URL',
] as const;
export type ActivityConfig = Pick<Config, (typeof activityVariables)[number]>;

/** Each is left out where it is not configured. */
export interface ActivityExtras {
  readonly sender?: EventSender;
  /** Signs receipts of deletions. */
  readonly signingKey?: PrivateSigningKey;
  readonly onAppended?: () => void;
  /** Apps' own tables of tokens. */
  readonly tokenSources?: readonly ConnectedTokenSource[];
  /** At which pace Kratos and Hydra are called. */
  readonly pacers?: Pacers;
}

export interface ActivitySet {
  readonly activities: Record<OutsideSystem, object>;
  close(): void;
}

export function createActivitySet(
  config: ActivityConfig,
  pool: pg.Pool,
  clock: Clock = systemClock,
  sources: readonly ConnectedSource[] = [],
  { sender, onAppended, signingKey, tokenSources = [], pacers }: ActivityExtras = {},
): ActivitySet {
  const { identities, oauth2 } = createOryClients({
    kratosAdminUrl: config.DORMOUSE_KRATOS_ADMIN_URL,
    hydraAdminUrl: config.DORMOUSE_HYDRA_ADMIN_URL,
    token: config.DORMOUSE_ORY_TOKEN,
    ...given({ pacers }),
  });
  const policies = new PolicyReader(pool);
  const transport = createMailTransport({
    smtpUrl: config.DORMOUSE_SMTP_URL,
    from: config.DORMOUSE_MAIL_FROM,
    ...(config.DORMOUSE_MAIL_RETURN_PATH && { returnPath: config.DORMOUSE_MAIL_RETURN_PATH }),
  });
  const notified = createNotifiedAddresses(pool, vaultOf(config, pool, clock));
  const unverified = config.DORMOUSE_MAIL_UNVERIFIED;
  const identifierKey = config.DORMOUSE_IDENTIFIER_KEY;
  const keyed = identifierKey === undefined ? {} : { identifierKey };
  const kratos = createKratosActivities({
    identities,
    pool,
    clock,
    policies,
    notified,
    unverified,
    ...keyed,
    ...given({ deskUrl: config.DORMOUSE_DESK_URL }),
  });
  const delivery = {
    pool,
    clock,
    transport,
    from: config.DORMOUSE_MAIL_FROM,
    ...(config.DORMOUSE_MAIL_PROVIDER !== 'none' && { provider: config.DORMOUSE_MAIL_PROVIDER }),
    productName: config.DORMOUSE_PRODUCT_NAME,
  };
  const mail = createMailActivities({
    ...delivery,
    notified,
    unverified,
    identities,
    signInUrl: config.DORMOUSE_SIGN_IN_URL,
    ...given({ linkBaseUrl: config.DORMOUSE_LINK_BASE_URL }),
  });
  // A test's own clock has no other clock to be compared with.
  // guard: breaker: the worker compares clocks
  const witness = clock === systemClock ? { witness: createClockWitness(pool) } : {};
  const pass = createBatchBreaker({ pool, clock, ...witness });
  return {
    activities: {
      kratos: {
        ...kratos,
        ...createKratosDeletionActivities({
          identities,
          pool,
          clock,
          policies,
          unverified,
          ...keyed,
        }),
        ...createBurialActivities({ identities, pool, clock }),
        ...createReconcileActivities({ identities, pool, clock, assess: kratos.assess }),
        ...createRolloutActivities({ identities, pool, policies, clock }),
        ...createSessionActivities({ pool, clock, closers: { identities, oauth2 } }),
        ...createPersonalTokenActivities({ identities, pool, clock, pass }),
        ...createSourcedTokenActivities({
          ...{ identities, pool, clock, pass, sources: tokenSources, policyId: config.DORMOUSE_POLICY_ID },
        }),
      },
      hydra: {
        ...createHydraActivities({ oauth2 }),
        ...createRefreshTokenActivities({ pool, clock, oauth2, pass }),
      },
      mail: {
        ...mail,
        ...createTokenNoticeActivities({ identities, pool, clock }, mail),
        ...createEndedTokenActivities({ pool, clock }, mail),
        ...createMonthReportActivities({
          ...delivery,
          recipients: config.DORMOUSE_REPORT_RECIPIENTS ?? [],
        }),
      },
      ledger: {
        ...createLedgerActivities({
          pool,
          policies,
          ...(sender && { receivers: sender.receivers }),
          ...(onAppended && { onAppended }),
          ...(signingKey && { signingKey }),
        }),
        ...createRolloutLedgerActivities({ pool }),
        ...createBreakerActivities({
          pool,
          clock,
          ...witness,
        }),
        ...createSourceActivities({
          pool,
          clock,
          sources,
          policyId: config.DORMOUSE_POLICY_ID,
        }),
      },
      signals: createSecurityEventActivities({ pool, clock, ...(sender && { sender }) }),
    },
    close: () => transport.close(),
  };
}

/** Seals personal data, where there is a master key for it. */
function vaultOf({ DORMOUSE_DATA_KEY: text }: ActivityConfig, pool: pg.Pool, clock: Clock) {
  return text === undefined ? undefined : createPersonalData(pool, parseMasterKeys(text), () => clock.now());
}
