/** The service of refresh tokens behind the gateway's routes, by the gateway's settings. */
import type { Config } from '../config.js';
import { RefreshTokens } from '../middleware/refresh-tokens/refresh-tokens.js';

/** @returns `undefined` where there is no key: there are no routes then. @throws ConfigError where the key is none */
export function refreshService(
  config: Pick<Config, 'DORMOUSE_POSTGRES_URL' | 'DORMOUSE_POLICY_ID' | 'DORMOUSE_REFRESH_KEY'>,
  dormouse: ConstructorParameters<typeof RefreshTokens>[0]['dormouse'],
): RefreshTokens | undefined {
  const key = config.DORMOUSE_REFRESH_KEY;
  if (key === undefined) return undefined;
  return new RefreshTokens({
    postgresUrl: config.DORMOUSE_POSTGRES_URL,
    key,
    policy: { published: config.DORMOUSE_POLICY_ID },
    ...(dormouse && { dormouse }),
  });
}
