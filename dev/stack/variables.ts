/** The environment variables that name a running stack's servers and keys. */
import type { StackInfo } from './types.js';

/** All of them, so that half of one system and half of another are never mixed. */
export function variablesOf({ temporal, postgres, kratos, hydra, mail, keys }: StackInfo) {
  return {
    DORMOUSE_TEMPORAL_ADDRESS: temporal.address,
    DORMOUSE_TEMPORAL_NAMESPACE: temporal.namespace,
    // Settings for another Temporal in the environment must not reach the stack's own; empty means unset.
    DORMOUSE_TEMPORAL_TLS: '',
    DORMOUSE_TEMPORAL_API_KEY: '',
    DORMOUSE_POSTGRES_URL: postgres.runtimeUrl,
    DORMOUSE_POSTGRES_MIGRATION_URL: postgres.url,
    DORMOUSE_KRATOS_PUBLIC_URL: kratos.publicUrl,
    DORMOUSE_KRATOS_ADMIN_URL: kratos.adminUrl,
    DORMOUSE_HYDRA_PUBLIC_URL: hydra.publicUrl,
    DORMOUSE_HYDRA_ADMIN_URL: hydra.adminUrl,
    DORMOUSE_SMTP_URL: mail.smtpUrl,
    DORMOUSE_AUDIT_SIGNING_KEY: keys.auditSigningKey,
    DORMOUSE_DATA_KEY: keys.dataKey,
    DORMOUSE_IDENTIFIER_KEY: keys.identifierKey,
  };
}
