/**
 * The credentials that the gateway accepts. Each has one purpose, so that a leaked one allows one thing only.
 */
import { type Config, ConfigError } from '../config.js';

export const hookVariables = [
  'DORMOUSE_KRATOS_HOOK_KEYS',
  'DORMOUSE_HYDRA_HOOK_KEYS',
  'DORMOUSE_MAIL_HOOK_KEYS',
] as const;
export type HookVariable = (typeof hookVariables)[number];

const credentialVariables = ['DORMOUSE_SERVICE_TOKENS', 'DORMOUSE_EVENT_SECRETS', ...hookVariables] as const;
type Credentials = Pick<Config, (typeof credentialVariables)[number]>;

export interface HookKeys {
  readonly kratos: readonly string[] | undefined;
  readonly hydra: readonly string[] | undefined;
  readonly mail: readonly string[] | undefined;
}

export function hookKeysOf(config: Pick<Config, HookVariable>): HookKeys {
  return {
    kratos: config.DORMOUSE_KRATOS_HOOK_KEYS,
    hydra: config.DORMOUSE_HYDRA_HOOK_KEYS,
    mail: config.DORMOUSE_MAIL_HOOK_KEYS,
  };
}

/**
 * Refuses the same value for two purposes.
 * @throws ConfigError naming the variables, never a value
 */
export function refuseSharedCredentials(config: Credentials): void {
  const problems: string[] = [];
  const holders = new Map<string, string>();
  for (const variable of credentialVariables) {
    for (const value of config[variable] ?? []) {
      const holder = holders.get(value) ?? variable;
      if (holder !== variable) {
        problems.push(
          `${variable} has a value of ${holder}. Make one of its own (openssl rand -base64 32): whoever knows one credential must not be able to do what another is for.`,
        );
      }
      holders.set(value, holder);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
}
