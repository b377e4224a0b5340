/** The pacers of a worker: one for each system whose rate is found from its answers. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { PaceLimits } from '../domain/pace/pace.js';
import { type CallPacer, createCallPacer } from './call-pacer.js';
import { type PacedSystem, takePlaces } from './pace-table.js';

export type Pacers = Readonly<Record<PacedSystem, CallPacer>>;

/** Calls a second that an operator set as the most; `auto`: what the system takes. */
export type SetRate = number | 'auto';

/** Where the search begins without a set rate: 100 and 50 calls a second are what a small Kratos or Hydra takes. */
const firstRates = { kratos: 100, hydra: 50 } as const;
const mostFound = 5_000;
const least = 1;

export function limitsOf(system: PacedSystem, rate: SetRate): PaceLimits {
  if (rate === 'auto') return { least, first: firstRates[system], most: mostFound };
  return { least: Math.min(least, rate), first: rate, most: rate };
}

/** @param pool of its own: a call must not wait for a connection that a waiting call holds */
export function createPacers(
  pool: pg.Pool,
  rates: Readonly<Record<PacedSystem, SetRate>>,
  onError: (error: unknown) => void,
): Pacers {
  const pacer = (system: PacedSystem, name: 'Kratos' | 'Hydra') => {
    const limits = limitsOf(system, rates[system]);
    return createCallPacer({
      system: name,
      take: (report, wanted) => takePlaces(pool, system, limits, report, wanted),
      firstRate: limits.first,
      onError,
      now: () => performance.now(),
      sleep: (ms) => pause(ms),
    });
  };
  return { kratos: pacer('kratos', 'Kratos'), hydra: pacer('hydra', 'Hydra') };
}
