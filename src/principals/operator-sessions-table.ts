/**
 * Table `operator_session`: operators who are signed in at the desk. A session is a row and not a sealed cookie, so that its end counts at
 * every gateway at once, and so that no role stands in a browser. Both limits are judged by the database's clock, as for people's sessions.
 */
import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Principal } from '../domain/principals/principal.js';
import { isScope } from '../domain/principals/scopes.js';
import { removeOld } from '../postgres/remove-old.js';

export interface SessionLimits {
  /** A session without a request for this long has ended. Milliseconds. */
  readonly idleMs: number;
  /** A session ends so long after the sign-in, however much it is used. Milliseconds. */
  readonly absoluteMs: number;
}

/** NIST SP 800-63B-4, section 2.2.3 (AAL2): an hour without activity and a day in all are the longest; a desk needs less. */
export const sessionLimits: SessionLimits = { idleMs: 30 * 60_000, absoluteMs: 8 * 3_600_000 };

/** What a cookie has to look like: 32 random bytes in base64url. */
const secretPattern = /^[A-Za-z0-9_-]{43}$/;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** @returns the secret for the cookie, which is stored nowhere */
export async function beginOperatorSession(
  pool: pg.Pool,
  { actor, scopes }: Pick<Principal, 'actor' | 'scopes'>,
): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await pool.query('INSERT INTO operator_session (session_hash, actor, scopes) VALUES ($1, $2, $3)', [
    hashOf(secret),
    actor,
    scopes,
  ]);
  return secret;
}

export type FoundSession =
  | { readonly kind: 'live'; readonly principal: Principal }
  /** It was idle or old for too long. `unknown`: made up, or signed out. */
  | { readonly kind: 'ended'; readonly actor: string }
  | { readonly kind: 'unknown' };

/** Finds a session, and notes that it was used. */
export async function useOperatorSession(
  pool: pg.Pool,
  secret: string,
  { idleMs, absoluteMs }: SessionLimits = sessionLimits,
): Promise<FoundSession> {
  if (!secretPattern.test(secret)) return { kind: 'unknown' };
  const hash = hashOf(secret);
  const used = await pool.query<{ actor: string; scopes: string[] }>(
    // guard: desk: a session that was idle for too long is over
    // guard: desk: a session ends some hours after the sign-in
    `UPDATE operator_session SET last_used_at = now()
     WHERE session_hash = $1 AND last_used_at > now() - $2 * interval '1 ms'
       AND signed_in_at > now() - $3 * interval '1 ms'
     RETURNING actor, scopes`,
    [hash, idleMs, absoluteMs],
  );
  const [row] = used.rows;
  if (row !== undefined) {
    const { actor, scopes } = row;
    // A scope that a later release no longer has counts for nothing.
    return { kind: 'live', principal: { actor, owner: actor, scopes: scopes.filter(isScope) } };
  }
  const old = await pool.query<{ actor: string }>(
    'SELECT actor FROM operator_session WHERE session_hash = $1',
    [hash],
  );
  const [ended] = old.rows;
  return ended === undefined ? { kind: 'unknown' } : { kind: 'ended', actor: ended.actor };
}

/** Signs out. Repeating it is harmless. */
export async function endOperatorSession(pool: pg.Pool, secret: string): Promise<void> {
  await pool.query('DELETE FROM operator_session WHERE session_hash = $1', [hashOf(secret)]);
}

/** How long an ended session is known as one. Milliseconds. */
const keptMs = 86_400_000;

/** @param now epoch milliseconds. @returns how many were deleted */
export function forgetOldOperatorSessions(pool: pg.Pool, now: number): Promise<number> {
  const before = new Date(now - sessionLimits.absoluteMs - keptMs);
  return removeOld(pool, 'operator_session', 'last_used_at < $1', before);
}
