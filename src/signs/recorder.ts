/**
 * Writes signs of life to PostgreSQL in batches, and tells the workflows that must know of
 * them now (see claims-table.ts).
 */
import pLimit from 'p-limit';
import type pg from 'pg';
import type { SignOfLife } from '../domain/sign-of-life.js';
import { within } from '../process/bounded.js';
import { activeTrace, inSpan, within as withinTrace } from '../process/tracing.js';
import { SignBuffer } from './buffer.js';
import { closeClaim, recordAndClaim } from './claims-table.js';
import { FeedMeter } from './feed-table.js';
import type { IdentitySign } from './identity-sign.js';

export interface ActivityRecorderOptions {
  readonly pool: pg.Pool;
  readonly tellWorkflow: (identityId: string, sign: SignOfLife) => Promise<void>;
  readonly batchMs: number;
  readonly maxPending: number;
}

/** A signal that is being sent or waits for its turn. */
interface Telling {
  readonly told: Promise<void>;
  /** Resolves whether or not the workflow was told, after PostgreSQL has the result. Never rejects. */
  readonly settled: Promise<void>;
}

interface Listener {
  hear: (telling: Promise<void>) => unknown;
}

/** Most rows of one statement. */
const maxBatch = 5_000;
/**
 * Most signals sent, and waiting, at a time. What exceeds this stays an open claim for
 * a worker (see claims-table.ts).
 */
const signalsAtATime = 20;
const signalsWaiting = 5_000;

export class SignRecorder {
  private readonly buffer: SignBuffer;
  private readonly limit = pLimit(signalsAtATime);
  /** By identity. */
  private readonly telling = new Map<string, Telling>();
  /** Callers that wait until the workflow was told, by identity. */
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly meter: FeedMeter;
  private signalled = 0;

  constructor(private readonly options: ActivityRecorderOptions) {
    this.meter = new FeedMeter(options.pool);
    this.buffer = new SignBuffer({
      flush: (signs) => this.handOn(signs),
      intervalMs: options.batchMs,
      maxPending: options.maxPending,
      maxBatch,
    });
  }

  /** Adds the sign to the next batch. */
  note(sign: IdentitySign): void {
    this.buffer.add({ ...activeTrace(), ...sign });
  }

  /**
   * Writes the sign to PostgreSQL now, with everything else that is pending. Rejects when that fails;
   * the sign is kept in that case.
   * @returns `told`: resolves when the workflow has been told, or at once where it need not be;
   * rejects when it could not be told
   */
  async store(sign: IdentitySign): Promise<{ told: Promise<void> }> {
    const listener: Listener = { hear: () => undefined };
    const told = new Promise<void>((resolve, reject) => {
      listener.hear = (telling) => telling.then(resolve, reject);
    });
    told.catch(() => undefined);
    const listeners = this.listeners.get(sign.identityId) ?? new Set();
    this.listeners.set(sign.identityId, listeners.add(listener));
    this.buffer.add({ ...activeTrace(), ...sign });
    try {
      await this.buffer.flush();
    } catch (error) {
      listeners.delete(listener);
      throw error;
    }
    return { told };
  }

  counters() {
    const { superseded, dropped, pending } = this.buffer.counters();
    return { superseded, dropped, pending, signalled: this.signalled };
  }

  /** Flushes what is left within `ms`. The rest is lost, as in a crash of the process. */
  async close(ms: number): Promise<void> {
    await within(ms, 'PostgreSQL', this.buffer.close()).catch(() => undefined);
    await within(ms, 'PostgreSQL', this.meter.write(Date.now())).catch(() => undefined);
    await within(ms, 'Temporal', Promise.all([...this.telling.values()].map(({ settled }) => settled))).catch(
      () => undefined,
    );
  }

  private async handOn(signs: readonly IdentitySign[]): Promise<void> {
    const claim = await inTheirTraces(signs, () => recordAndClaim(this.options.pool, signs, Date.now()));
    const latest = new Map<string, IdentitySign>();
    for (const sign of signs) {
      const known = latest.get(sign.identityId);
      if (known === undefined || known.at < sign.at) latest.set(sign.identityId, sign);
    }
    for (const id of claim.identityIds) {
      const sign = latest.get(id);
      if (sign !== undefined) this.tell(sign, claim.id);
    }
    for (const identityId of latest.keys()) this.letHear(identityId);
    // guard: breaker: recorded signs are marked
    await this.meter.add(signs, Date.now());
  }

  private letHear(identityId: string): void {
    const told = this.telling.get(identityId)?.told ?? Promise.resolve();
    for (const { hear } of this.listeners.get(identityId) ?? []) hear(told);
    this.listeners.delete(identityId);
  }

  /** After a failure, without room, or after a crash, the claim stays open and a worker takes it over. */
  private tell({ identityId, trace, ...sign }: IdentitySign, claimId: string): void {
    if (this.telling.size >= signalsWaiting) return;
    const told = this.limit(() => withinTrace(trace, () => this.options.tellWorkflow(identityId, sign)));
    const settled = told
      .then(() => {
        this.signalled += 1;
        return closeClaim(this.options.pool, claimId, identityId);
      })
      .catch(() => undefined);
    const telling = { told, settled };
    this.telling.set(identityId, telling);
    settled.then(() => {
      if (this.telling.get(identityId) === telling) this.telling.delete(identityId);
    });
  }
}

/** A batch belongs to the trace of its oldest sign, and has links to the others'. Without any trace it has no span. */
function inTheirTraces<T>(signs: readonly IdentitySign[], work: () => Promise<T>): Promise<T> {
  const [parent, ...links] = signs.flatMap(({ trace }) => trace ?? []);
  if (parent === undefined) return withinTrace(undefined, work);
  const attributes = { 'dormouse.signs': signs.length };
  return inSpan({ name: 'record signs of life', parent, links, attributes }, work);
}
