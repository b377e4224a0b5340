/** Ends sessions: in PostgreSQL first, then in Kratos and Hydra. */
import type pg from 'pg';
import { given } from '../../domain/given.js';
import type { EndedVerdict } from '../../domain/sessions/verdict.js';
import { createKratosClient, createOryClients } from '../../ory/clients.js';
import { closeSession, type SessionClosers } from '../../sessions/close.js';
import { endSession, markClosed, type StoredSession } from '../../sessions/sessions-table.js';
import { fromPostgres } from '../unjudged.js';
import type { Entry, SessionMemory } from './memory.js';
import type { GuardOptions } from './options.js';
import type { SessionsInForce } from './sessions-section.js';

export interface EndsOptions {
  readonly pool: pg.Pool;
  readonly memory: SessionMemory;
  /** Absent: the engine's sweep carries ends out. */
  readonly closers: SessionClosers | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly beforeWrite: GuardOptions['beforeWrite'];
  readonly onError: (error: unknown) => void;
}

export class SessionEnds {
  private readonly listeners = new Set<(sessionId: string) => void>();

  constructor(private readonly options: EndsOptions) {}

  /** @returns whether this call ended it: another instance may have, or the person came back. @throws UnjudgedError */
  async expire(
    stored: StoredSession,
    verdict: EndedVerdict,
    { reference }: SessionsInForce,
  ): Promise<boolean> {
    const { pool, now, beforeWrite } = this.options;
    const { sessionId } = stored;
    const { reason, rule, endedAt } = verdict;
    await beforeWrite?.();
    const ended = await fromPostgres(() =>
      endSession(
        pool,
        { sessionId, reason, endedAt, judged: stored, ...given({ rule, policy: reference }) },
        now(),
      ),
    );
    if (!ended) return false;
    this.hear(sessionId);
    await this.carryOut(stored);
    return true;
  }

  /** @throws UnjudgedError */
  async signOut(stored: StoredSession): Promise<void> {
    const { pool } = this.options;
    const now = this.options.now();
    const { sessionId } = stored;
    await fromPostgres(() => endSession(pool, { sessionId, reason: 'signed_out', endedAt: now }, now));
    this.hear(sessionId);
    await this.carryOut(stored);
  }

  /** @returns how a session ended that is over already */
  async endOf(entry: Entry): Promise<Omit<EndedVerdict, 'state'>> {
    const { stored } = entry;
    // Kratos still answers for it: otherwise the credential would be nobody's.
    if (stored.isClosed !== true && (await this.carryOut(stored)))
      entry.stored = { ...stored, isClosed: true };
    const { at, reason, rule } = stored.ended ?? { at: 0, reason: 'revoked' as const };
    return { reason, endedAt: at, ...given({ rule }) };
  }

  /**
   * Ends it in Kratos and Hydra. What fails, the engine's sweep does: the row says that it is owed.
   * @returns whether it is done
   */
  async carryOut(stored: Pick<StoredSession, 'sessionId' | 'loginSids'>): Promise<boolean> {
    const { closers, pool, now, onError } = this.options;
    if (closers === undefined) return false;
    try {
      if (!(await closeSession(closers, stored))) return false;
      await markClosed(pool, stored.sessionId, now());
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  }

  /** An end that was heard of, from here or elsewhere. */
  hear(sessionId: string): void {
    // An entry that knows its end needs no other reading.
    if (this.options.memory.get(sessionId)?.stored.ended !== undefined) return;
    this.options.memory.forget(sessionId);
    for (const listener of this.listeners) listener(sessionId);
  }

  /** @returns a function that stops it */
  listen(listener: (sessionId: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** @returns `undefined` where the guard can't end anything in Kratos */
export function closersOf({ kratos, hydra }: GuardOptions): SessionClosers | undefined {
  if (kratos.adminUrl === undefined) return undefined;
  const common = { ...given({ token: kratos.token }), timeoutMs: 2_000 };
  if (hydra === undefined) return { identities: createKratosClient(kratos.adminUrl, common) };
  return createOryClients({ kratosAdminUrl: kratos.adminUrl, hydraAdminUrl: hydra.adminUrl, ...common });
}
