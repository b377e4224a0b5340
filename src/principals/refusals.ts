/**
 * Refused calls in the audit log: one entry a minute for each cause and address, and a bound for all addresses together, so that nobody
 * fills the log by guessing. The address is in no entry, since a log that only grows must hold nothing personal.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { appendAudit } from '../audit/log-table.js';
import { type AuditEntry, installationId } from '../domain/audit-entry.js';
import { engineActor } from '../domain/names.js';
import type { RefusalCause } from './authenticator.js';
import { networkOf } from './networks.js';

export interface NotedRefusal {
  readonly cause: RefusalCause;
  readonly method: string;
  /** The pattern of the route, never the path. */
  readonly route: string;
  readonly address: string;
  readonly scope?: string;
  /** Whose credential it was, where that is known. */
  readonly actor?: string;
}

export interface RefusalsOptions {
  readonly append: (entry: AuditEntry) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

const minuteMs = 60_000;
/** Entries a minute, of all causes and addresses. */
const mostAMinute = 60;

export class Refusals {
  /** Of this process, so that two gateways write entries of their own. */
  private readonly instance = randomUUID();
  private minute = 0;
  private readonly seen = new Set<string>();
  private written = 0;
  private unwritten = 0;
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly options: RefusalsOptions) {}

  /** Returns at once and never throws. */
  note(refusal: NotedRefusal): void {
    const now = this.options.now?.() ?? Date.now();
    const minute = Math.floor(now / minuteMs);
    if (minute !== this.minute) {
      this.minute = minute;
      this.seen.clear();
      this.written = 0;
    }
    const key = `${refusal.cause}/${networkOf(refusal.address)}`;
    // guard: principals: refused calls do not fill the audit log
    if (this.seen.has(key) || this.written >= mostAMinute) {
      this.unwritten += 1;
      return;
    }
    this.seen.add(key);
    this.written += 1;
    const entry = this.entryOf(refusal, now, minute);
    this.unwritten = 0;
    const writing = this.options
      .append(entry)
      .catch(this.options.onError)
      .finally(() => this.underWay.delete(writing));
    this.underWay.add(writing);
  }

  /** Waits for entries that are being written. */
  async close(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private entryOf(
    { cause, method, route, scope, actor }: NotedRefusal,
    now: number,
    minute: number,
  ): AuditEntry {
    return {
      eventId: `call-refused/${this.instance}/${minute}/${this.written}`,
      eventType: 'call_refused',
      target: installationId,
      actor: actor ?? engineActor,
      occurredAt: now,
      ...{ stage: 'none', daysInactive: 0, outcome: cause },
      // How many were refused since the entry before, of any cause and address.
      detail: { method, route, others: this.unwritten, ...(scope !== undefined && { scope }) },
    };
  }
}

/** Refused calls to the audit log of this database. */
export function refusalsTo(pool: pg.Pool, onError: (error: unknown) => void): Refusals {
  const append = async (entry: AuditEntry) => {
    await appendAudit(pool, [entry]);
  };
  return new Refusals({ append, onError });
}
