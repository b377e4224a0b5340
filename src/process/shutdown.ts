/** Shuts a process down in order. */
import closeWithGrace from 'close-with-grace';
import type { Logger } from './logger.js';

/**
 * Calls `stop` on SIGTERM or SIGINT and exits 0. A second signal, a stop that fails or takes longer than
 * `graceMs`, or an error that nothing caught exits 1; the last one calls `stop` too.
 */
export function onShutdown(log: Logger, stop: () => Promise<void>, graceMs = 30_000): void {
  const logger = { error: (what: unknown) => log.error({ err: what }, 'shutdown failed') };
  closeWithGrace({ delay: graceMs, logger, skip: ['beforeExit'] }, async ({ signal, err }) => {
    if (err === undefined) log.info({ signal }, 'shutting down');
    else log.fatal({ err }, 'nothing caught this error: shutting down');
    await stop();
  });
}
