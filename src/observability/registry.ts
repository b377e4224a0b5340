/**
 * The registry of one process: what Prometheus reads of it. Names follow Prometheus' conventions (base units, `_total` for counters);
 * labels have few values, and none holds an identity, an address or free text.
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { release } from '../process/release.js';

/** @returns a registry with the process' own figures and the release */
export function createRegistry(part: 'worker' | 'gateway'): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'dormouse_build_info',
    help: 'Always 1. The release and the part of Dormouse that answers.',
    labelNames: ['release', 'part'],
    registers: [registry],
  }).set({ release, part }, 1);
  return registry;
}
