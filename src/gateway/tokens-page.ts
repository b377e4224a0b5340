/** What is behind the page with a person's own access tokens, by the gateway's settings. */
import { type Config, ConfigError } from '../config.js';
import { PersonalTokens } from '../middleware/personal-tokens/personal-tokens.js';
import { UnknownPolicyError } from '../policies/policies-table.js';
import type { Logger } from '../process/logger.js';

/** @throws ConfigError where nothing says who is signed in, or the policy has no section `tokens.personal` */
export async function tokensForPage(
  config: Pick<Config, 'DORMOUSE_POSTGRES_URL' | 'DORMOUSE_POLICY_ID' | 'DORMOUSE_SESSIONS_PAGE'>,
  log: Logger,
): Promise<PersonalTokens> {
  if (config.DORMOUSE_SESSIONS_PAGE !== 'on') {
    throw new ConfigError(
      'DORMOUSE_PERSONAL_TOKENS_PAGE is on, and DORMOUSE_SESSIONS_PAGE is off: it knows people by the same sessions. Turn both on, or this one off',
    );
  }
  const tokens = new PersonalTokens({
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
    policy: { published: config.DORMOUSE_POLICY_ID },
    log: (fields, message) => log.warn(fields, message),
    onError: (error) => log.warn({ err: error }, 'access tokens could not be read or written'),
  });
  try {
    await tokens.ready();
  } catch (error) {
    // Published later: until then the page says that it can't answer.
    if (error instanceof UnknownPolicyError) return tokens;
    await tokens.close();
    throw error;
  }
  return tokens;
}
