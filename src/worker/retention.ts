/**
 * Deletes data past its retention, so that no table grows without end. Data that tells an identity's
 * standing, or protects the person, has no retention: it is deleted with the identity. Only its owner prunes
 * the audit log (src/audit/prune-log.ts).
 */
import type pg from 'pg';
import { forgetOldTrips } from '../breaker/trips-table.js';
import { forgetOldPostponements } from '../links/postponements-table.js';
import { forgetOldMails } from '../mail/mails-table.js';
import { forgetOldPreviews } from '../preview/previews-table.js';
import { forgetOldCredentials } from '../principals/credentials-table.js';
import { forgetOldOperatorSessions } from '../principals/operator-sessions-table.js';
import { forgetOldReconciliations } from '../reconciliation/reconciliations-table.js';
import { forgetOldEvents } from '../security-events/outbox-table.js';
import { forgetOldSessions } from '../sessions/sessions-table.js';
import { forgetOldFeed } from '../signs/feed-table.js';
import { forgetOldLines } from '../tokens/access/request-log-table.js';
import { forgetOldAdmissionChanges, forgetOldUses } from '../tokens/access/uses-table.js';
import { forgetOldPersonalTokens } from '../tokens/personal/personal-tokens-table.js';
import { forgetOldConsents } from '../tokens/refresh/consents-table.js';
import { forgetOldFamilies } from '../tokens/refresh/sweep-table.js';
import { forgetOldSourcedTokens } from '../tokens/sourced/ends-table.js';

export interface Retention {
  /** How long mails of ended absences are kept, milliseconds. */
  readonly mailsMs: number;
  /**
   * How long sweeps, released trips of the breaker, undeliverable events, the feed, spent
   * postponements, personal access tokens and credentials that ended, and previews of policies are kept, milliseconds.
   */
  readonly operationsMs: number;
  /** How long what apps log of requests is kept, milliseconds. */
  readonly requestLogMs: number;
}

/**
 * One pass.
 * @param now epoch milliseconds
 * @returns how many rows were deleted, by table
 */
export async function forgetOld(
  pool: pg.Pool,
  { mailsMs, operationsMs, requestLogMs }: Retention,
  now: number,
): Promise<Record<string, number>> {
  const operations = new Date(now - operationsMs);
  const forgotten: Record<string, number> = {
    mail: await forgetOldMails(pool, new Date(now - mailsMs)),
    reconciliation: await forgetOldReconciliations(pool, operations),
    signal_outbox: await forgetOldEvents(pool, operations),
    activity_feed: await forgetOldFeed(pool, operations),
    postponement: await forgetOldPostponements(pool, operations),
    request_log: await forgetOldLines(pool, new Date(now - requestLogMs)),
    token_use: await forgetOldUses(pool, now),
    admission_change: await forgetOldAdmissionChanges(pool, operations),
    idle_session: await forgetOldSessions(pool, now),
    personal_token: await forgetOldPersonalTokens(pool, operations),
    sourced_token: await forgetOldSourcedTokens(pool, operations),
    credential: await forgetOldCredentials(pool, operations),
    refresh_family: await forgetOldFamilies(pool, operations),
    refresh_consent: await forgetOldConsents(pool, now),
    breaker_trip: await forgetOldTrips(pool, operations),
    policy_preview: await forgetOldPreviews(pool, operations),
    operator_session: await forgetOldOperatorSessions(pool, now),
  };
  return Object.fromEntries(Object.entries(forgotten).filter(([, rows]) => rows > 0));
}
