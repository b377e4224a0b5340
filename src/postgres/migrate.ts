/** Updates the schema, without blocking users of the present schema for long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { ConfigError } from '../config.js';
import { ensureIndexes } from './indexes.js';

export const migrationsDirectory = fileURLToPath(new URL('./migrations', import.meta.url));

export interface Patience {
  /**
   * How long a change waits for a table's lock, milliseconds. Other sessions queue behind it meanwhile,
   * so it gives up and tries again.
   */
  readonly lockTimeoutMs: number;
  /** Number of attempts. */
  readonly attempts: number;
  /** Pause between two attempts, milliseconds. */
  readonly pauseMs: number;
}

const defaultPatience: Patience = { lockTimeoutMs: 5_000, attempts: 30, pauseMs: 2_000 };

/**
 * Safe to call from many processes at once: a lock lets only one work. Indexes are built while others write.
 * @throws ConfigError where the lock, or a lock on a table, can't be acquired
 */
export async function migrate(url: string, patience: Patience = defaultPatience): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runMigrations(url, patience.lockTimeoutMs);
      return await ensureIndexes(url, patience.lockTimeoutMs);
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (attempt >= patience.attempts) {
        throw new ConfigError(
          'The schema was not changed: another session keeps a lock on a table. Find it (SELECT pid, state, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start), end it, and repeat.',
          { cause: error },
        );
      }
      await sleep(patience.pauseMs);
    }
  }
}

async function runMigrations(url: string, lockTimeoutMs: number): Promise<void> {
  await runner({
    databaseUrl: { connectionString: url, lock_timeout: lockTimeoutMs },
    dir: migrationsDirectory,
    direction: 'up',
    migrationsTable: 'dormouse_migration',
    checkOrder: true,
    advisoryLockMode: 'wait',
    log: () => undefined,
  } as Parameters<typeof runner>[0]);
}

/** `lock_not_available`, as itself or as the cause of another error. */
function isLockTimeout(error: unknown): boolean {
  for (let seen = error; seen instanceof Error; seen = seen.cause) {
    if ('code' in seen && seen.code === '55P03') return true;
  }
  return false;
}
