/** What Dormouse keeps and what it forgets when an identity is deleted. */
import type pg from 'pg';
import { forgetConfirmation } from '../absence/confirmations-table.js';
import { forgetWitness } from '../absence/witnesses-table.js';
import { forgetWaitingTokens } from '../breaker/waiting-tokens-table.js';
import type { Buried } from '../domain/lifecycle/assessment.js';
import type { Remembered } from '../domain/lifecycle/state.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import { destroyKey } from '../keys/personal-data.js';
import { forgetLinks } from '../links/links-table.js';
import { forgetPostponements } from '../links/postponements-table.js';
import { forgetReturnAddresses } from '../links/return-addresses-table.js';
import { forgetAllNotified } from '../mail/notified-addresses-table.js';
import { forgetPreference } from '../mail/preferences-table.js';
import { inTransaction } from '../postgres/pool.js';
import { forgetSessions } from '../sessions/sessions-table.js';
import { forgetSigns } from '../signs/signs-table.js';
import { disablementAsJson, forgetDisablement } from '../standings/disablements-table.js';
import { forgetLines } from '../tokens/access/request-log-table.js';
import { forgetUses } from '../tokens/access/uses-table.js';
import { forgetPersonalTokens } from '../tokens/personal/personal-tokens-table.js';
import { forgetConsents } from '../tokens/refresh/consents-table.js';
import { forgetFamilies } from '../tokens/refresh/families-table.js';
import { forgetSourcedTokens } from '../tokens/sourced/ends-table.js';
import { forgetDeletionIntent } from './intents-table.js';

/** Data that is deleted with an identity: each room forgets its own. Holds and exemptions stay. */
const everythingElse: readonly ((client: pg.PoolClient, identityId: string) => Promise<void>)[] = [
  // guard: deletion: signs of life are forgotten
  forgetSigns,
  forgetDisablement,
  forgetLinks,
  forgetPostponements,
  forgetReturnAddresses,
  // guard: the key of personal data is destroyed at burial
  destroyKey,
  forgetAllNotified,
  forgetPreference,
  forgetWitness,
  forgetConfirmation,
  forgetDeletionIntent,
  forgetSessions,
  forgetUses,
  forgetLines,
  forgetPersonalTokens,
  forgetSourcedTokens,
  forgetFamilies,
  forgetConsents,
  forgetWaitingTokens,
];

/**
 * Leaves a tombstone without personal data, forgets everything else known of the identity, and destroys the
 * key of its personal data. Safe to repeat.
 * @param remembered what is kept for an identity that may reappear; absent where the engine itself ended it
 */
export async function buryIdentity(
  pool: pg.Pool,
  identityId: string,
  policy: PolicyReference | undefined,
  deletedAt: number,
  action: 'delete' | 'anonymise' = 'delete',
  remembered?: Remembered,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(
      `INSERT INTO tombstone (identity_id, deleted_at, policy_id, policy_version, action, remembered)
       VALUES ($1, $2, $3, $4, $5, $6::jsonb || jsonb_build_object(
         'disablement', ${disablementAsJson}
       ))
       ON CONFLICT (identity_id) DO NOTHING`,
      [
        identityId,
        new Date(deletedAt),
        policy?.id ?? null,
        policy?.version ?? null,
        action,
        remembered === undefined ? null : JSON.stringify(remembered),
      ],
    );
    for (const forget of everythingElse) await forget(client, identityId);
  });
}

export async function isBuried(pool: pg.Pool, identityId: string): Promise<boolean> {
  const found = await pool.query('SELECT 1 FROM tombstone WHERE identity_id = $1', [identityId]);
  return found.rows.length > 0;
}

/** Whether the identity was anonymised: its shell in Kratos is no person. */
export async function isAnonymised(pool: pg.Pool, identityId: string): Promise<boolean> {
  return (await anonymisedAmong(pool, [identityId])).size > 0;
}

export async function anonymisedAmong(pool: pg.Pool, identityIds: readonly string[]): Promise<Set<string>> {
  const found = await pool.query<{ identity_id: string }>(
    "SELECT identity_id FROM tombstone WHERE identity_id = ANY($1::uuid[]) AND action = 'anonymise'",
    [identityIds],
  );
  return new Set(found.rows.map((row) => row.identity_id));
}

/**
 * @returns what was kept of a buried identity; `undefined` where none was buried, and for the
 * shell of an anonymised identity
 */
export async function readBurial(pool: pg.Pool, identityId: string): Promise<Buried | undefined> {
  const found = await pool.query<{ deleted_at: Date; remembered: Remembered | null }>(
    `SELECT deleted_at, remembered - 'disablement' AS remembered FROM tombstone
     WHERE identity_id = $1 AND action <> 'anonymise'`,
    [identityId],
  );
  const row = found.rows[0];
  if (row === undefined) return undefined;
  const { deleted_at: deletedAt, remembered } = row;
  return { at: deletedAt.getTime(), ...(remembered === null ? {} : { remembered }) };
}

/**
 * A buried identity is there again. A deactivation by the engine counts as the
 * engine's own again. Safe to repeat.
 */
export async function liftTombstone(pool: pg.Pool, identityId: string): Promise<void> {
  await pool.query('SELECT lift_tombstone($1)', [identityId]);
}
