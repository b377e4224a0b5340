/** The session guard behind the page with a person's own sessions, by the gateway's settings. */
import { type Config, ConfigError, readConfig } from '../config.js';
import { given } from '../domain/given.js';
import { SessionGuard } from '../middleware/idle-sessions/guard.js';
import { UnknownPolicyError } from '../policies/policies-table.js';
import type { Logger } from '../process/logger.js';
import { sessionsPageVariables } from './variables.js';

/**
 * Judges by the published policy. Linked logins at Hydra are ended by the sweep.
 * @throws ConfigError where there are no pages, or the policy has no section `sessions`
 */
export async function guardForPage(
  config: Pick<Config, 'DORMOUSE_POSTGRES_URL' | 'DORMOUSE_POLICY_ID' | 'DORMOUSE_LINK_BASE_URL'>,
  log: Logger,
): Promise<SessionGuard> {
  if (config.DORMOUSE_LINK_BASE_URL === undefined) {
    throw new ConfigError(
      'DORMOUSE_SESSIONS_PAGE is on, and DORMOUSE_LINK_BASE_URL is not set: forms of the page are taken from that origin only. Set it, or take off',
    );
  }
  const kratos = readConfig(sessionsPageVariables);
  const guard = new SessionGuard({
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
    kratos: {
      publicUrl: kratos.DORMOUSE_KRATOS_PUBLIC_URL,
      adminUrl: kratos.DORMOUSE_KRATOS_ADMIN_URL,
      ...given({ token: kratos.DORMOUSE_ORY_TOKEN }),
    },
    policy: { published: config.DORMOUSE_POLICY_ID },
    log: (fields, message) => log.warn(fields, message),
  });
  try {
    await guard.ready();
  } catch (error) {
    // Published later: until then the page says that it can't answer.
    if (error instanceof UnknownPolicyError) return guard;
    await guard.close();
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      `DORMOUSE_SESSIONS_PAGE is on, and the policy "${config.DORMOUSE_POLICY_ID}" has no section "sessions". Add one (docs/idle-sessions.md), or take off`,
      { cause: error },
    );
  }
  return guard;
}
