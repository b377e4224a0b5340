/**
 * Table `idle_session`: one row for each Kratos session that a guard has seen. A live row changes by conditional updates
 * only; a row that ended never changes back (docs/idle-sessions.md).
 */
import type pg from 'pg';
import { given } from '../domain/given.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { longestSessionMs } from '../domain/sessions/checks.js';
import type { AssuranceLevel, DeviceClass } from '../domain/sessions/policy.js';
import type { EndedVerdict, EndReason, SessionTimes } from '../domain/sessions/verdict.js';

/** The channel on which instances tell each other of ended sessions and changed choices. */
export const sessionsChannel = 'dormouse_sessions';

/** What the policy judges a session by, as Kratos answered last. */
export interface SessionTraits {
  readonly devices: readonly DeviceClass[];
  readonly roles: readonly string[];
  readonly assurance: AssuranceLevel;
}

export interface NewSession extends SessionTraits {
  readonly sessionId: string;
  readonly identityId: string;
  /** Epoch milliseconds. */
  readonly authenticatedAt: number;
  /** The latest completion of any factor, epoch milliseconds: a presence. */
  readonly latestAt: number;
  /** The published policy that judges it; absent: the app's own. */
  readonly policyId?: string;
}

export interface StoredSession extends SessionTraits, SessionTimes {
  readonly sessionId: string;
  readonly identityId: string;
  readonly policyId?: string;
  readonly loginSids: readonly string[];
  /** The person's choice, milliseconds. */
  readonly choiceMs?: number;
  readonly ended?: { readonly at: number; readonly reason: EndReason; readonly rule?: string };
  /** The end is carried out in Kratos and Hydra. */
  readonly isClosed?: true;
}

interface SessionRow {
  readonly session_id: string;
  readonly identity_id: string;
  readonly authenticated_at: Date;
  readonly last_active_at: Date;
  readonly lease_beat_at: Date | null;
  readonly devices: DeviceClass[];
  readonly roles: string[];
  readonly assurance: AssuranceLevel;
  readonly policy_id: string | null;
  readonly login_sids: string[];
  readonly idle_ms: string | null;
  readonly ended_at: Date | null;
  readonly ended_reason: EndReason | null;
  readonly ended_rule: string | null;
  readonly closed_at: Date | null;
}

const stored = `
  SELECT known.session_id, known.identity_id, known.authenticated_at, known.last_active_at, known.lease_beat_at, known.devices,
    known.roles, known.assurance, known.policy_id, known.login_sids, choice.idle_ms, known.ended_at, known.ended_reason, known.ended_rule,
    known.closed_at
  FROM idle_session AS known LEFT JOIN idle_choice AS choice USING (identity_id)`;

/** Inserts a session that Kratos answered for, where it has no row yet. @returns the row as it is now */
export async function admitSession(pool: pg.Pool, session: NewSession): Promise<StoredSession> {
  await pool.query(
    `INSERT INTO idle_session (session_id, identity_id, authenticated_at, last_active_at, devices, roles, assurance, policy_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session_id) DO NOTHING`,
    [
      session.sessionId,
      session.identityId,
      new Date(session.authenticatedAt),
      new Date(session.latestAt),
      session.devices,
      session.roles,
      session.assurance,
      session.policyId ?? null,
    ],
  );
  const row = await readSession(pool, session.sessionId);
  if (row === undefined) throw new Error('a session was deleted as it was read');
  return row;
}

export async function readSession(pool: pg.Pool, sessionId: string): Promise<StoredSession | undefined> {
  const { rows } = await pool.query<SessionRow>(`${stored} WHERE known.session_id = $1`, [sessionId]);
  return rows[0] && sessionOf(rows[0]);
}

/** The sessions of one identity that are live by the table, the latest presence first. */
export async function readLiveSessions(pool: pg.Pool, identityId: string): Promise<StoredSession[]> {
  const { rows } = await pool.query<SessionRow>(
    `${stored} WHERE known.identity_id = $1 AND known.ended_at IS NULL ORDER BY known.last_active_at DESC LIMIT 500`,
    [identityId],
  );
  return rows.map(sessionOf);
}

/** The sessions that a Hydra login is linked to. */
export async function readSessionsOfLogin(pool: pg.Pool, loginSid: string): Promise<StoredSession[]> {
  const { rows } = await pool.query<SessionRow>(
    `${stored} WHERE known.login_sids @> ARRAY[$1::text] ORDER BY known.last_active_at DESC LIMIT 20`,
    [loginSid],
  );
  return rows.map(sessionOf);
}

export interface Presence {
  readonly sessionId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: 'person' | 'lease';
}

/** Moves the last presence of live sessions forward, never back. @returns those that are live */
export async function renewSessions(pool: pg.Pool, presences: readonly Presence[]): Promise<Set<string>> {
  if (presences.length === 0) return new Set();
  const { rows } = await pool.query<{ session_id: string }>(
    // guard: sessions: a presence is written to live rows only
    `UPDATE idle_session AS known
     SET last_active_at = greatest(known.last_active_at, seen.active_at),
       lease_beat_at = greatest(known.lease_beat_at, seen.beat_at)
     FROM (
       SELECT session_id, max(at) FILTER (WHERE kind = 'person') AS active_at, max(at) FILTER (WHERE kind = 'lease') AS beat_at
       FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS seen (session_id, at, kind) GROUP BY session_id
     ) AS seen
     WHERE known.session_id = seen.session_id AND known.ended_at IS NULL
     RETURNING known.session_id`,
    [
      presences.map(({ sessionId }) => sessionId),
      presences.map(({ at }) => new Date(at)),
      presences.map(({ kind }) => kind),
    ],
  );
  return new Set(rows.map((row) => row.session_id));
}

/**
 * Kratos answered again: writes what changed. A later completion of a first factor restarts both limits, of a second one
 * alone the idle limit.
 * @returns whether the session is live
 */
export async function updateTraits(
  pool: pg.Pool,
  { sessionId, authenticatedAt, latestAt, devices, roles, assurance }: NewSession,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE idle_session
     SET authenticated_at = greatest(authenticated_at, $2), last_active_at = greatest(last_active_at, $3),
       devices = $4, roles = $5, assurance = $6
     WHERE session_id = $1 AND ended_at IS NULL`,
    [sessionId, new Date(authenticatedAt), new Date(latestAt), devices, roles, assurance],
  );
  return rowCount === 1;
}

/** Remembers a Hydra login that ends with the session. At most 20 a session. @returns whether the session is live */
export async function linkLogin(pool: pg.Pool, sessionId: string, loginSid: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE idle_session SET login_sids = (array_append(array_remove(login_sids, $2), $2))[greatest(1, cardinality(login_sids) - 18):]
     WHERE session_id = $1 AND ended_at IS NULL`,
    [sessionId, loginSid],
  );
  return rowCount === 1;
}

export interface SessionEnd extends Pick<EndedVerdict, 'reason' | 'rule'> {
  readonly sessionId: string;
  /** When the limit was reached, or the person asked: epoch milliseconds. */
  readonly endedAt: number;
  /** The times that the verdict rests on: the session only ends while they are the latest. Absent: in any case. */
  readonly judged?: SessionTimes;
  readonly policy?: PolicyReference;
}

/** Ends a live session, and audits an expiry. @returns whether this call ended it */
export async function endSession(pool: pg.Pool, end: SessionEnd, now: number): Promise<boolean> {
  const { judged, policy } = end;
  const { rows } = await pool.query<{ ended: boolean }>(
    'SELECT idle_session_end($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS ended',
    [
      end.sessionId,
      end.reason,
      end.rule ?? null,
      Math.floor(end.endedAt),
      Math.floor(now),
      judged === undefined ? null : new Date(judged.authenticatedAt),
      judged === undefined ? null : new Date(judged.lastActiveAt),
      judged?.leaseBeatAt === undefined ? null : new Date(judged.leaseBeatAt),
      policy?.id ?? null,
      policy?.version ?? null,
      policy?.hash ?? null,
    ],
  );
  return rows[0]?.ended === true;
}

/** The end was carried out in Kratos and Hydra. */
export async function markClosed(pool: pg.Pool, sessionId: string, now: number): Promise<void> {
  await pool.query(
    'UPDATE idle_session SET closed_at = $2 WHERE session_id = $1 AND ended_at IS NOT NULL AND closed_at IS NULL',
    [sessionId, new Date(now)],
  );
}

/** Ended sessions whose end in Kratos or Hydra is still owed, the oldest first. */
export async function readUnclosed(
  pool: pg.Pool,
  after: string | undefined,
  limit: number,
): Promise<StoredSession[]> {
  const { rows } = await pool.query<SessionRow>(
    `${stored} WHERE known.ended_at IS NOT NULL AND known.closed_at IS NULL AND ($1::uuid IS NULL OR known.session_id > $1)
     ORDER BY known.session_id LIMIT $2`,
    [after ?? null, limit],
  );
  return rows.map(sessionOf);
}

/** Live sessions of one policy that may be over a limit, in the order of their ids. */
export async function readPerhapsOver(
  pool: pg.Pool,
  bounds: {
    /** `null`: of the apps' own policies. */
    readonly policyId: string | null;
    readonly now: number;
    readonly inactiveSince: number;
    readonly authenticatedBefore: number;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<StoredSession[]> {
  const { rows } = await pool.query<SessionRow>(
    `${stored} WHERE known.ended_at IS NULL AND known.policy_id IS NOT DISTINCT FROM $1
       AND (known.last_active_at <= $2 OR known.authenticated_at <= $3
         OR (choice.idle_ms > 0 AND known.last_active_at <= $6::timestamptz - choice.idle_ms * interval '1 millisecond'))
       AND ($4::uuid IS NULL OR known.session_id > $4)
     ORDER BY known.session_id LIMIT $5`,
    [
      bounds.policyId,
      new Date(bounds.inactiveSince),
      new Date(bounds.authenticatedBefore),
      bounds.after ?? null,
      bounds.limit,
      new Date(bounds.now),
    ],
  );
  return rows.map(sessionOf);
}

export interface EndNews {
  readonly sessionId: string;
  readonly ended: NonNullable<StoredSession['ended']>;
}

/** The database's clock, and the sessions that ended since a moment of it. */
export async function readNews(
  pool: pg.Pool,
  since: number | undefined,
): Promise<{
  readonly now: number;
  readonly ended: readonly EndNews[];
  readonly choices: readonly string[];
}> {
  const { rows } = await pool.query<{
    now: Date;
    ended: { id: string; at: number; reason: EndReason; rule: string | null }[];
    choices: string[];
  }>(
    `SELECT clock_timestamp() AS now,
       coalesce((SELECT json_agg(json_build_object('id', session_id, 'reason', ended_reason, 'rule', ended_rule,
           'at', floor(extract(epoch FROM ended_at) * 1000)))
         FROM idle_session WHERE ended_at IS NOT NULL AND noticed_at > $1), '[]') AS ended,
       coalesce((SELECT json_agg(identity_id) FROM idle_choice WHERE chosen_at > $1), '[]') AS choices`,
    [since === undefined ? 'infinity' : new Date(since)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table gave no row');
  return {
    now: row.now.getTime(),
    ended: row.ended.map(({ id, at, reason, rule }) => ({
      sessionId: id,
      ended: { at, reason, ...given({ rule: rule ?? undefined }) },
    })),
    choices: row.choices,
  };
}

/** Forgets sessions that ended so long ago that their sign-in is over any absolute limit. @returns how many */
export async function forgetOldSessions(pool: pg.Pool, now: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM idle_session WHERE session_id IN (
       SELECT session_id FROM idle_session WHERE noticed_at < $1 AND authenticated_at < $1 LIMIT 5000)`,
    [new Date(now - longestSessionMs)],
  );
  return rowCount ?? 0;
}

/** Forgets what is known of an identity that is deleted. */
export async function forgetSessions(client: pg.PoolClient, identityId: string): Promise<void> {
  await client.query('DELETE FROM idle_session WHERE identity_id = $1', [identityId]);
  await client.query('DELETE FROM idle_choice WHERE identity_id = $1', [identityId]);
}

function sessionOf(row: SessionRow): StoredSession {
  return {
    sessionId: row.session_id,
    identityId: row.identity_id,
    authenticatedAt: row.authenticated_at.getTime(),
    lastActiveAt: row.last_active_at.getTime(),
    devices: row.devices,
    roles: row.roles,
    assurance: row.assurance,
    loginSids: row.login_sids,
    ...given({
      leaseBeatAt: row.lease_beat_at?.getTime(),
      policyId: row.policy_id ?? undefined,
      choiceMs: row.idle_ms === null ? undefined : Number(row.idle_ms),
    }),
    ...(row.ended_at !== null && row.ended_reason !== null
      ? {
          ended: {
            at: row.ended_at.getTime(),
            reason: row.ended_reason,
            ...given({ rule: row.ended_rule ?? undefined }),
          },
        }
      : {}),
    ...(row.closed_at !== null && { isClosed: true as const }),
  };
}
