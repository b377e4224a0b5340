/** The figures of a report for auditors, from `audit`, `policy` and `standing`. */
import type pg from 'pg';
import { given } from '../domain/given.js';
import type { AuditSelection } from './stream.js';

export interface ActionCount {
  /** Month in UTC, such as `2026-01`. */
  readonly period: string;
  readonly eventType: string;
  /** Whose turn it was to end stale credentials, of `tokens_revoked_stale` alone. */
  readonly type?: StaleKind;
  readonly outcome: string;
  readonly count: number;
}

/** The ladder's rung (web sessions and Hydra's consents), or the kind of token that a policy of its own ended. */
export type StaleKind = 'ladder' | 'refresh' | 'personal';

export async function countActions(pool: pg.Pool, { from, to }: AuditSelection): Promise<ActionCount[]> {
  const found = await pool.query(
    `SELECT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') AS period, event_type,
       CASE event_type WHEN 'tokens_revoked_stale' THEN coalesce(detail->>'type', 'ladder') END AS type,
       outcome, count(*)::int AS count
     FROM audit
     WHERE ($1::timestamptz IS NULL OR occurred_at >= $1) AND ($2::timestamptz IS NULL OR occurred_at < $2)
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    [from === undefined ? null : new Date(from), to === undefined ? null : new Date(to)],
  );
  return found.rows.map(({ period, event_type, type, outcome, count }) => ({
    period,
    eventType: event_type,
    ...given({ type: type ?? undefined }),
    outcome,
    count,
  }));
}

export interface PolicyUse {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the published text, hex. */
  readonly hash: string;
  /** Epoch milliseconds. */
  readonly publishedAt: number;
  /** The version that identities adopt when they wake. */
  readonly latest: boolean;
  /** Accounts that followed this version at their last wake-up. */
  readonly accounts: number;
}

export async function readPolicyUse(pool: pg.Pool): Promise<PolicyUse[]> {
  const found = await pool.query(
    `SELECT policy.id, policy.version, policy.hash, policy.published_at,
       policy.version = max(policy.version) OVER (PARTITION BY policy.id) AS latest,
       (SELECT count(*)::int FROM standing
        WHERE standing.policy_id = policy.id AND standing.policy_version = policy.version
          AND ${isThere}) AS accounts
     FROM policy ORDER BY policy.id, policy.version`,
  );
  return found.rows.map(({ id, version, hash, published_at, latest, accounts }) => ({
    id,
    version,
    hash,
    publishedAt: published_at.getTime(),
    latest,
    accounts,
  }));
}

/** Buried identities keep their row as history. */
const isThere = `standing.stage <> 'deleted'
  AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.identity_id = standing.identity_id)`;

/** Accounts that can still sign in, without a sign of life since `$1`. */
const overdue = `
  SELECT standing.identity_id, stage, blocked_by, next_step, next_at, seen.last_active_at
  FROM standing
  CROSS JOIN LATERAL (
    SELECT GREATEST(standing.last_active_at, max(activity.last_active_at)) AS last_active_at
    FROM identity_activity AS activity WHERE activity.identity_id = standing.identity_id
  ) AS seen
  WHERE standing.last_active_at < $1 AND seen.last_active_at < $1 AND stage <> 'deactivated' AND ${isThere}`;

export interface OverdueGroup {
  readonly stage: string;
  /** What keeps the engine from acting, such as `hold`; `null` where nothing does. */
  readonly blockedBy: string | null;
  readonly count: number;
}

export interface OverdueAccount {
  readonly identityId: string;
  readonly stage: string;
  readonly blockedBy: string | null;
  /** Epoch milliseconds. */
  readonly lastActiveAt: number;
  readonly nextStep: string | null;
  /** Epoch milliseconds. */
  readonly nextAt: number | null;
}

export interface Overdue {
  readonly total: number;
  readonly groups: readonly OverdueGroup[];
  /** The longest inactive first, as many as requested. */
  readonly longest: readonly OverdueAccount[];
}

/**
 * Accounts that are not disabled although there was no sign of life for a time. Any kind counts.
 * @param since epoch milliseconds
 */
export async function readOverdue(pool: pg.Pool, since: number, limit: number): Promise<Overdue> {
  const at = new Date(since);
  const groups = await pool.query<{ stage: string; blocked_by: string | null; count: number }>(
    `SELECT stage, blocked_by, count(*)::int AS count FROM (${overdue}) AS overdue GROUP BY 1, 2 ORDER BY 1, 2`,
    [at],
  );
  const longest = await pool.query(
    `SELECT * FROM (${overdue}) AS overdue ORDER BY last_active_at, identity_id LIMIT $2`,
    [at, limit],
  );
  return {
    total: groups.rows.reduce((sum, { count }) => sum + count, 0),
    groups: groups.rows.map(({ stage, blocked_by, count }) => ({ stage, blockedBy: blocked_by, count })),
    longest: longest.rows.map((row) => ({
      identityId: row.identity_id,
      stage: row.stage,
      blockedBy: row.blocked_by,
      lastActiveAt: row.last_active_at.getTime(),
      nextStep: row.next_step,
      nextAt: row.next_at?.getTime() ?? null,
    })),
  };
}
