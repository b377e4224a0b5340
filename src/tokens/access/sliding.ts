/**
 * Sliding access without refresh tokens: a client gets short tokens, and a new one only while the session behind the sign-in is live
 * (docs/inactive-tokens.md).
 */
import type pg from 'pg';
import type { Policy } from '../../domain/policy/schema.js';
import { limitsFor } from '../../domain/sessions/limits.js';
import { idleSince, judge } from '../../domain/sessions/verdict.js';
import { readSessionsOfLogin } from '../../sessions/sessions-table.js';

/** A token that a client of Hydra asks for. */
export interface SlidingGrant {
  readonly identityId: string;
  readonly clientId: string;
  readonly grant: 'authorization_code' | 'refresh_token' | 'other';
  /** Hydra's session of the sign-in. */
  readonly loginSid?: string;
}

export type SlidingAdmission =
  | 'admitted'
  /** The client has no sliding access: this rule does not concern it. */
  | 'not-sliding'
  /** A refresh needs nobody to be there. */
  | 'refresh'
  /** No session of the person is linked to the login (`linkLogin`). */
  | 'no-session'
  /** It ended, or nobody was there for too long. */
  | 'session-over';

/** @param now epoch milliseconds, by the clock of the database */
export async function admitSliding(
  pool: pg.Pool,
  { tokens, sessions }: Pick<Policy, 'tokens' | 'sessions'>,
  { identityId, clientId, grant, loginSid }: SlidingGrant,
  now: number,
): Promise<SlidingAdmission> {
  const access = tokens?.access;
  if (access === undefined || !access.clients.includes(clientId)) return 'not-sliding';
  if (grant === 'refresh_token') return 'refresh';
  if (loginSid === undefined) return 'no-session';
  const linked = await readSessionsOfLogin(pool, loginSid);
  const own = linked.filter((session) => session.identityId === identityId);
  if (own.length === 0) return 'no-session';
  const isLive = own.some((session) => {
    if (session.ended !== undefined) return false;
    // A session that an app judges by a policy of its own is held to the idle limit of tokens.
    if (sessions === undefined) return now < idleSince(session) + access.idle;
    return judge(session, limitsFor(sessions, session), now).state === 'live';
  });
  return isLive ? 'admitted' : 'session-over';
}
