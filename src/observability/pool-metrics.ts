/** Use of a process' pools of database connections, counted as the page is read. */
import type pg from 'pg';
import { Gauge, type Registry } from 'prom-client';

/** @param pools by the name of what they serve */
export function watchPools(registry: Registry, pools: Readonly<Record<string, pg.Pool>>): void {
  new Gauge({
    name: 'dormouse_database_connections',
    help: 'Connections to PostgreSQL, by pool and by whether they are in use.',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [pool, { totalCount, idleCount }] of Object.entries(pools)) {
        this.set({ pool, state: 'idle' }, idleCount);
        this.set({ pool, state: 'in_use' }, totalCount - idleCount);
      }
    },
  });
  new Gauge({
    name: 'dormouse_database_connections_max',
    help: 'Most connections to PostgreSQL that a pool opens.',
    labelNames: ['pool'],
    registers: [registry],
    collect() {
      for (const [pool, { options }] of Object.entries(pools)) this.set({ pool }, options.max);
    },
  });
  new Gauge({
    name: 'dormouse_database_waiting_queries',
    help: 'Queries that wait for a free connection of their pool.',
    labelNames: ['pool'],
    registers: [registry],
    collect() {
      for (const [pool, { waitingCount }] of Object.entries(pools)) this.set({ pool }, waitingCount);
    },
  });
}
