/** How much the workers of a process do at once, and of what is not paced call by call, how much in a second. */
import { type Config, readConfig } from '../config.js';
import type { OutsideSystem } from '../workflows/queues.js';

export const workerLimitVariables = [
  'DORMOUSE_MAIL_RATE',
  'DORMOUSE_RATE_LEDGER',
  'DORMOUSE_RATE_SIGNALS',
  'DORMOUSE_CONCURRENCY_KRATOS',
  'DORMOUSE_CONCURRENCY_HYDRA',
  'DORMOUSE_CONCURRENCY_MAIL',
  'DORMOUSE_CONCURRENCY_LEDGER',
  'DORMOUSE_CONCURRENCY_SIGNALS',
] as const;
export type WorkerLimitConfig = Pick<Config, (typeof workerLimitVariables)[number]>;

export interface WorkerLimits {
  /** Activities that this process has under way. */
  readonly atOnce: number;
  /** Activities a second, over all workers of the queue, by Temporal; absent: each call is paced (pacing/). */
  readonly perSecond?: number;
}

export function workerLimits(config: WorkerLimitConfig): Readonly<Record<OutsideSystem, WorkerLimits>> {
  return {
    kratos: { atOnce: config.DORMOUSE_CONCURRENCY_KRATOS },
    hydra: { atOnce: config.DORMOUSE_CONCURRENCY_HYDRA },
    mail: { atOnce: config.DORMOUSE_CONCURRENCY_MAIL, perSecond: config.DORMOUSE_MAIL_RATE },
    ledger: { atOnce: config.DORMOUSE_CONCURRENCY_LEDGER, perSecond: config.DORMOUSE_RATE_LEDGER },
    signals: { atOnce: config.DORMOUSE_CONCURRENCY_SIGNALS, perSecond: config.DORMOUSE_RATE_SIGNALS },
  };
}

/** Where nothing is configured. */
export const defaultLimits = workerLimits(readConfig(workerLimitVariables, {}));
