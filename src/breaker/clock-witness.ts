/** The clocks that a worker's clock is compared with: PostgreSQL's, and the process' own monotonic clock. */
import { performance } from 'node:perf_hooks';
import type pg from 'pg';

export interface ClockWitness {
  /**
   * @returns PostgreSQL's clock (epoch milliseconds), and the time since the last
   * call by both clocks of the process
   */
  testify(wallAt: number): Promise<{
    readonly databaseAt: number;
    readonly since?: { readonly wallMs: number; readonly monotonicMs: number };
  }>;
}

export function createClockWitness(
  pool: pg.Pool,
  monotonic: () => number = () => performance.now(),
): ClockWitness {
  let last: { wallAt: number; monotonicAt: number } | undefined;
  return {
    async testify(wallAt) {
      const monotonicAt = monotonic();
      const since =
        last === undefined
          ? {}
          : { since: { wallMs: wallAt - last.wallAt, monotonicMs: monotonicAt - last.monotonicAt } };
      last = { wallAt, monotonicAt };
      const found = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      // The query's own duration is within any tolerance: a policy's is at least seconds.
      return { databaseAt: found.rows[0]?.now.getTime() ?? wallAt, ...since };
    },
  };
}
