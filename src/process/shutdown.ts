/** Shuts a process down in order. */
import type { Logger } from './logger.js';

/**
 * Calls `stop` on SIGTERM or SIGINT and exits 0; a second signal, or a stop that fails or takes
 * longer than `graceMs`, exits 1.
 */
export function onShutdown(log: Logger, stop: (signal: string) => Promise<void>, graceMs = 30_000): void {
  let stopping = false;
  const handle = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'shutting down');
    setTimeout(() => process.exit(1), graceMs).unref();
    stop(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
