/** How to reach Temporal, from the configuration. */

import type { Config } from '../config.js';
import { given } from '../domain/given.js';

export const temporalVariables = [
  'DORMOUSE_TEMPORAL_ADDRESS',
  'DORMOUSE_TEMPORAL_NAMESPACE',
  'DORMOUSE_TEMPORAL_API_KEY',
  'DORMOUSE_TEMPORAL_TLS',
  'DORMOUSE_TASK_QUEUE',
] as const;
export type TemporalConfig = Pick<Config, (typeof temporalVariables)[number]>;

/** The same, and the policy of identities that a client enrols. */
export const clientVariables = [...temporalVariables, 'DORMOUSE_POLICY_ID'] as const;

/** The client's part of the configuration. */
export function clientOptions(config: Pick<Config, (typeof clientVariables)[number]>) {
  return {
    temporal: { ...connectionOptions(config), namespace: config.DORMOUSE_TEMPORAL_NAMESPACE },
    taskQueue: config.DORMOUSE_TASK_QUEUE,
    policyId: config.DORMOUSE_POLICY_ID,
  };
}

/** Options shared by both kinds of connection (worker's native, client's). */
export function connectionOptions(config: TemporalConfig) {
  return {
    address: config.DORMOUSE_TEMPORAL_ADDRESS,
    ...given({ apiKey: config.DORMOUSE_TEMPORAL_API_KEY }),
    ...(config.DORMOUSE_TEMPORAL_TLS ? { tls: true as const } : {}),
  };
}
