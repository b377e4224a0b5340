/** What both processes do to be observed: a registry, checks, and the listener that answers with them. */
import type { Registry } from 'prom-client';
import type { ListenAddress } from '../config/listen-address.js';
import { given } from '../domain/given.js';
import { startListener } from './listener.js';
import { ReadinessChecks } from './readiness.js';
import { createRegistry } from './registry.js';

export interface Observed {
  readonly registry: Registry;
  readonly checks: ReadinessChecks;
  /** Where it listens, as `http://127.0.0.1:9464`; absent: nowhere. */
  readonly url: string | undefined;
  /** From now on `/readyz` says that the process ends. */
  stopping(): void;
  close(): Promise<void>;
}

/**
 * Listens from the start of the process on, so that whoever waits for it learns why.
 * @param address absent: nobody listens, and the figures cost next to nothing
 * @param more what another exporter answers
 */
export async function observe(
  part: 'worker' | 'gateway',
  address: ListenAddress | undefined,
  more?: () => Promise<string>,
): Promise<Observed> {
  const registry = createRegistry(part);
  const checks = new ReadinessChecks();
  const readReadiness = () => checks.read();
  const listener = address && (await startListener({ address, registry, readReadiness, ...given({ more }) }));
  return {
    registry,
    checks,
    url: listener?.url,
    stopping: () => checks.stopping(),
    close: async () => listener?.close(),
  };
}
