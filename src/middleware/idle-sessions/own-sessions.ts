/** What people see and do about their own sessions. */
import type { IncomingHttpHeaders } from 'node:http';
import type pg from 'pg';
import { given } from '../../domain/given.js';
import { offeredChoices } from '../../domain/sessions/limits.js';
import { idleSince } from '../../domain/sessions/verdict.js';
import { writeChoice } from '../../sessions/choices-table.js';
import { readLiveSessions, readSession } from '../../sessions/sessions-table.js';
import { fromPostgres } from '../unjudged.js';
import type { Live } from './decision.js';
import type { SessionEnds } from './ends.js';
import type { SessionMemory } from './memory.js';
import type { GuardedSession } from './options.js';
import type { SignIns } from './sign-ins.js';

/** A session of a person, for their own eyes. */
export interface OwnSession {
  readonly sessionId: string;
  /** The user agent of the sign-in. */
  readonly device?: string;
  /** Where the sign-in came from, as far as Kratos keeps it. */
  readonly place?: string;
  readonly authenticatedAt: number;
  readonly lastActiveAt: number;
}

/** One session, or all but that of the request. */
export type WhichSessions = { readonly id: string } | { readonly others: true };

export class OwnSessions {
  constructor(
    private readonly pool: pg.Pool,
    private readonly memory: SessionMemory,
    private readonly signIns: SignIns,
    private readonly ends: SessionEnds,
  ) {}

  /** Those that Kratos has, with the last presence where a guard has seen them. The latest comes first. @throws UnjudgedError */
  async list(identityId: string, headers: IncomingHttpHeaders): Promise<OwnSession[]> {
    const ofKratos = await this.signIns.listOf(headers);
    const seen = await fromPostgres(() => readLiveSessions(this.pool, identityId));
    const bySession = new Map<string, OwnSession>();
    for (const { sessionId, authenticatedAt, userAgent, place } of ofKratos) {
      const device = userAgent?.slice(0, 200);
      bySession.set(sessionId, {
        sessionId,
        authenticatedAt,
        lastActiveAt: authenticatedAt,
        ...given({ device, place }),
      });
    }
    for (const stored of seen) {
      const { sessionId, authenticatedAt } = stored;
      const known = bySession.get(sessionId) ?? { sessionId, authenticatedAt };
      bySession.set(sessionId, { ...known, authenticatedAt, lastActiveAt: idleSince(stored) });
    }
    return [...bySession.values()].sort((a, b) => b.lastActiveAt - a.lastActiveAt);
  }

  /** Another person's session is passed over, as one that does not exist. @throws UnjudgedError */
  async end(
    { identityId, sessionId }: GuardedSession,
    headers: IncomingHttpHeaders,
    which: WhichSessions,
  ): Promise<void> {
    for (const { sessionId: own } of await this.list(identityId, headers)) {
      if ('id' in which ? own === which.id : own !== sessionId) await this.endOne(identityId, own);
    }
  }

  /** The choices that make a difference for the person, and the one that is kept. */
  choices({ session, policy, devices, choiceMs }: Live): { offered: number[]; chosen: number | undefined } {
    const { roles, assurance } = session;
    return { offered: offeredChoices(policy, { devices, roles, assurance }), chosen: choiceMs };
  }

  /** Keeps a choice that is offered. @returns whether it is. @throws UnjudgedError */
  async choose(live: Live, idleMs: number): Promise<boolean> {
    if (!this.choices(live).offered.includes(idleMs)) return false;
    const { identityId } = live.session;
    await fromPostgres(() => writeChoice(this.pool, identityId, idleMs));
    this.memory.forgetPerson(identityId);
    return true;
  }

  private async endOne(identityId: string, sessionId: string): Promise<void> {
    const stored = await fromPostgres(() => readSession(this.pool, sessionId));
    // A session that no guard has seen is Kratos' alone.
    if (stored === undefined) await this.ends.carryOut({ sessionId, loginSids: [] });
    else if (stored.identityId === identityId) await this.ends.signOut(stored);
  }
}
