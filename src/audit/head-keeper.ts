/**
 * Decides when the head of the audit log is signed: soon after an append, and at most once in an interval
 * across all workers. It runs beside the ledger, which never waits for it.
 */
import type pg from 'pg';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import type { Clock } from '../process/clock.js';
import type { Logger } from '../process/logger.js';
import { lastSoundHead, signLatestHead } from './sign-heads.js';
import type { BrokenRow } from './verification.js';

export interface HeadKeeperOptions {
  readonly pool: pg.Pool;
  readonly key: PrivateSigningKey;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error' | 'debug'>;
  /** Milliseconds. Default: a minute. */
  readonly intervalMs?: number;
  /** Calls `work` after a while. @returns a function that cancels it */
  readonly later?: (work: () => void, afterMs: number) => () => void;
}

export interface HeadKeeper {
  /** Something was appended. Returns at once. */
  noteAppended(): void;
  /**
   * Signs the present head and stops. Never rejects: a head can be signed later, but a shutdown can't wait.
   */
  close(): Promise<void>;
}

const defaultIntervalMs = 60_000;

function afterTimeout(work: () => void, afterMs: number): () => void {
  const timer = setTimeout(work, afterMs);
  timer.unref();
  return () => clearTimeout(timer);
}

export function createHeadKeeper(options: HeadKeeperOptions): HeadKeeper {
  const { pool, key, clock, log, intervalMs = defaultIntervalMs, later = afterTimeout } = options;
  let callOff: (() => void) | undefined;
  let signing: Promise<void> = Promise.resolve();

  const arm = (afterMs: number) => {
    callOff = later(() => {
      callOff = undefined;
      signing = signing.then(signIfDue);
    }, afterMs);
  };
  const onForged = ({ seq, why }: BrokenRow) =>
    log.error(
      { seq, why },
      'a head of the audit log is not signed by the key that it names; it is passed over',
    );
  const sign = async (at: number): Promise<void> => {
    try {
      const head = await signLatestHead(pool, key, at, onForged);
      if (head !== undefined) log.debug({ seq: head.seq }, 'audit head signed');
    } catch (error) {
      log.error({ err: error }, 'the head of the audit log was not signed');
    }
  };
  // Only sound heads count: a forged one must not delay the signing.
  const lastSigning = () =>
    lastSoundHead(pool, key, () => undefined).then(
      (head) => head?.at ?? 0,
      () => 0,
    );
  const signIfDue = async (): Promise<void> => {
    const now = await clock.now();
    const last = await lastSigning();
    // Another worker signed recently. Later rows are signed when the interval is over.
    if (last > now - intervalMs && last <= now) arm(last + intervalMs - now);
    else await sign(now);
  };
  return {
    noteAppended() {
      if (callOff === undefined) arm(intervalMs);
    },
    async close() {
      callOff?.();
      callOff = () => undefined;
      signing = signing.then(async () => sign(await clock.now()));
      await signing;
    },
  };
}
