/** What else a month's report counts, from the table `audit`: credentials, operators' work, the breaker, mails. */
import type pg from 'pg';
import type { Month } from './month.js';

/** What revocations because of inactivity ended. */
export interface EndedCredentials {
  /** Sessions and consents to apps, by the ladder. */
  readonly sessions: number;
  readonly consents: number;
  readonly refreshFamilies: number;
  readonly personalTokens: number;
}

export async function countEndedCredentials(pool: pg.Pool, { from, to }: Month): Promise<EndedCredentials> {
  const sum = (field: string) => `coalesce(sum((detail->>'${field}')::bigint), 0)::int`;
  const found = await pool.query<EndedCredentials>(
    `SELECT ${sum('sessions')} AS sessions, ${sum('consents')} AS consents, ${sum('families')} AS "refreshFamilies",
       (count(*) FILTER (WHERE detail->>'type' = 'personal'))::int AS "personalTokens"
     FROM audit WHERE event_type = 'tokens_revoked_stale' AND occurred_at >= $1 AND occurred_at < $2`,
    [new Date(from), new Date(to)],
  );
  return found.rows[0] ?? { sessions: 0, consents: 0, refreshFamilies: 0, personalTokens: 0 };
}

export interface EventCount {
  /** Of what: an event type of the audit log. */
  readonly event: string;
  /** Its outcome, or the part of it that tells such events apart; empty where there is none. */
  readonly outcome: string;
  readonly events: number;
  /** Different identities; 0 for events of the installation. */
  readonly people: number;
}

/** Events that a report has in its parts, beside the ladder's own. */
export const countedEvents = {
  parked: ['step_parked', 'parked_retried', 'parked_skipped'],
  breaker: ['breaker_tripped', 'held_by_breaker', 'breaker_release_proposed', 'breaker_released'],
  missing: ['identity_missing', 'identity_reappeared', 'absence_confirmed', 'identity_gone'],
  exemptions: ['exemption_set', 'exemption_reviewed', 'exemption_ended'],
  mails: ['inactivity_warned', 'notice_sent', 'notice_failed', 'winback_sent', 'notice_bounced'],
} as const;
export type EventGroup = keyof typeof countedEvents;

/** What tells events of a type apart; otherwise their outcome does. */
const outcomes = `CASE
  WHEN event_type IN ('held_by_breaker', 'notice_sent', 'notice_failed', 'notice_bounced')
    THEN coalesce(detail->>'rung', '') || CASE event_type WHEN 'notice_failed' THEN ' ' || outcome ELSE '' END
  WHEN event_type = 'exemption_set' THEN coalesce(detail->>'kind', '')
  WHEN event_type IN ('inactivity_warned', 'winback_sent', 'step_parked', 'breaker_tripped') THEN outcome
  ELSE '' END`;

/** @returns the counts of each group, in the order of its events */
export async function countEvents(
  pool: pg.Pool,
  { from, to }: Month,
): Promise<Readonly<Record<EventGroup, EventCount[]>>> {
  const all = Object.values(countedEvents).flat();
  const found = await pool.query<EventCount>(
    `SELECT event_type AS event, ${outcomes} AS outcome, count(*)::int AS events,
       (count(DISTINCT target) FILTER (WHERE target <> '00000000-0000-0000-0000-000000000000'))::int AS people
     FROM audit WHERE event_type = ANY($3) AND occurred_at >= $1 AND occurred_at < $2
     GROUP BY 1, 2 ORDER BY array_position($3, event_type), 2`,
    [new Date(from), new Date(to), all],
  );
  const of = (group: EventGroup) =>
    found.rows.filter(({ event }) => (countedEvents[group] as readonly string[]).includes(event));
  return {
    parked: of('parked'),
    breaker: of('breaker'),
    missing: of('missing'),
    exemptions: of('exemptions'),
    mails: of('mails'),
  };
}

export interface StandingExemptions {
  readonly kind: string;
  readonly count: number;
  /** How long they have been in force at the month's end. Milliseconds. */
  readonly medianAgeMs: number;
  readonly oldestAgeMs: number;
  /** Their review was due before the month's end. */
  readonly overdue: number;
}

/** @returns operators' exemptions that were in force at the end of the month, by kind, as the audit log tells them */
export async function readStandingExemptions(pool: pg.Pool, { to }: Month): Promise<StandingExemptions[]> {
  const found = await pool.query<StandingExemptions>(
    `WITH told AS (
       SELECT detail->>'exemptionId' AS id,
         min(occurred_at) FILTER (WHERE event_type = 'exemption_set') AS set_at,
         max(detail->>'kind') FILTER (WHERE event_type = 'exemption_set') AS kind,
         (array_agg((detail->>'reviewAt')::double precision ORDER BY seq DESC) FILTER (WHERE detail ? 'reviewAt'))[1] AS review_at,
         bool_or(event_type = 'exemption_ended') AS is_ended
       FROM audit
       WHERE event_type = ANY($2) AND occurred_at < $1 AND target NOT IN (
         SELECT target FROM audit WHERE event_type IN ('account_deleted', 'account_anonymised') AND occurred_at < $1)
       GROUP BY 1
     ), standing AS (
       SELECT kind, extract(epoch FROM $1 - set_at) * 1000 AS age, review_at < extract(epoch FROM $1::timestamptz) * 1000 AS is_overdue
       FROM told WHERE set_at IS NOT NULL AND NOT is_ended
     )
     SELECT coalesce(kind, 'unknown') AS kind, count(*)::int AS count,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY age))::double precision AS "medianAgeMs",
       max(age)::double precision AS "oldestAgeMs", (count(*) FILTER (WHERE is_overdue))::int AS overdue
     FROM standing GROUP BY 1 ORDER BY 1`,
    [new Date(to), countedEvents.exemptions],
  );
  return found.rows;
}
