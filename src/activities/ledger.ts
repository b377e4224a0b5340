/** Activities on Dormouse's own PostgreSQL: revocation time, projection, audit, tombstone. Safe to repeat. */
import type pg from 'pg';
import { appendAudit } from '../audit/log-table.js';
import { tripAndAudit } from '../breaker/decisions.js';
import { lastRelease } from '../breaker/trips-table.js';
import { type DeletionReceipt, signReceipt } from '../deletion/receipt.js';
import { buryIdentity, liftTombstone } from '../deletion/tombstones-table.js';
import type { AuditEntry } from '../domain/audit-entry.js';
import type { Hold } from '../domain/lifecycle/holds.js';
import type { PolicyChoice } from '../domain/lifecycle/state.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import type { Standing } from '../domain/standing.js';
import { endHold, keepHold, takeOverHolds } from '../holds/holds-table.js';
import type { PrivateSigningKey } from '../keys/signing-keys.js';
import { readPolicy } from '../looks/plan-in-force.js';
import { forgetNotified } from '../mail/notified-addresses-table.js';
import type { PolicyReader } from '../policies/policies-table.js';
import { inTransaction } from '../postgres/pool.js';
import { giveUp } from '../process/step-error.js';
import { fillOutbox, type Subscription } from '../security-events/outbox-table.js';
import { forgetActivity } from '../signs/signs-table.js';
import { readRevision, writeStanding } from '../standings/standings-table.js';
import { writeNotBefore } from '../tokens/revocations-table.js';

export interface LedgerDependencies {
  readonly pool: pg.Pool;
  readonly policies: PolicyReader;
  /** Who hears of what was done, by security events. Default: nobody. */
  readonly receivers?: readonly Subscription[];
  /** Signs receipts of deletions; absent: they are not signed. */
  readonly signingKey?: PrivateSigningKey;
  /** Told after something was appended to the audit log. Must return at once. */
  readonly onAppended?: () => void;
}

export function createLedgerActivities({
  pool,
  policies,
  receivers = [],
  onAppended,
  signingKey,
}: LedgerDependencies) {
  return {
    /** From now on, whatever was issued before `at` is void wherever a checker asks. */
    async writeNotBefore(input: { identityId: string; at: number }): Promise<void> {
      await writeNotBefore(pool, input.identityId, input.at);
    },

    /** Writes the projection and the audit entries that are due, in this order. */
    async record(input: {
      standing?: Standing;
      revision: number;
      /** The revision that was written before: a database that knows less was restored from a backup. */
      previous?: { readonly revision: number; readonly operators: number };
      audit: readonly AuditEntry[];
      /** Keys of the notices that run: what others went to is forgotten. Absent: nothing is. */
      notices?: readonly string[];
    }): Promise<void> {
      const { standing, previous } = input;
      if (standing !== undefined && previous !== undefined) {
        await tripIfRestored(pool, standing.identityId, previous, input.revision);
      }
      if (input.standing !== undefined) await writeStanding(pool, input.standing, input.revision);
      const added = await appendAudit(pool, input.audit, (client, appended) =>
        fillOutbox(client, appended, receivers),
      );
      if (added > 0) onAppended?.();
      if (standing !== undefined && input.notices !== undefined) {
        await forgetNotified(pool, standing.identityId, input.notices);
      }
    },

    /** Forgets what Dormouse knew of an identity that is no more, and leaves a tombstone. */
    async bury(input: {
      identityId: string;
      policy?: PolicyReference;
      deletedAt: number;
      action?: 'delete' | 'anonymise';
    }): Promise<void> {
      await buryIdentity(pool, input.identityId, input.policy, input.deletedAt, input.action);
    },

    /** @returns the hold as it is kept: its id may be another one */
    async keepHold(input: { identityId: string; hold: Hold; requestKey?: string }): Promise<Hold> {
      return keepHold(pool, input.identityId, input.hold, input.requestKey);
    },

    async endHold(input: { identityId: string; holdId: string; at: number }): Promise<void> {
      await endHold(pool, input.identityId, input.holdId, input.at);
    },

    /** Holds that a lifecycle of an older build remembers. */
    async takeOverHolds(input: { identityId: string; holds: readonly Hold[] }): Promise<void> {
      await takeOverHolds(pool, input.identityId, input.holds);
    },

    /** Somebody who was buried is there again. */
    async liftTombstone(input: { identityId: string }): Promise<void> {
      await liftTombstone(pool, input.identityId);
    },

    /** @returns the signed receipt, where there is a key to sign it */
    async signReceipt(receipt: DeletionReceipt): Promise<{ receipt?: string }> {
      return signingKey === undefined ? {} : { receipt: await signReceipt(receipt, signingKey) };
    },

    /** Forgets signs of life of somebody who never existed. */
    async forgetUnknown(input: { identityId: string }): Promise<void> {
      await forgetActivity(pool, input.identityId);
    },

    /** For who waits for the answer. @throws UnknownPolicy when it was never published, PolicyAltered; neither is retried */
    async checkPolicy(input: { policyChoice: PolicyChoice }): Promise<PolicyReference> {
      return (await readPolicy(policies, input.policyChoice, giveUp)).reference;
    },
  };
}

export type LedgerActivities = ReturnType<typeof createLedgerActivities>;

/**
 * A projection that is older than what its workflow wrote means that PostgreSQL was brought back from a backup: signs of
 * life and revocations of the time between are missing, so nothing destructive goes on before somebody has looked.
 */
async function tripIfRestored(
  pool: pg.Pool,
  identityId: string,
  previous: { readonly revision: number; readonly operators: number },
  now: number,
): Promise<void> {
  const known = await readRevision(pool, identityId);
  if (known !== undefined && known >= previous.revision) return;
  // Somebody has looked at what was lost up to then.
  if (previous.revision <= ((await lastRelease(pool, 'restored', 'all')) ?? 0)) return;
  const found = known === undefined ? 'nothing of it' : `its state of ${new Date(known).toISOString()}`;
  const why = `a standing was written at ${new Date(previous.revision).toISOString()}, and PostgreSQL knows ${found}`;
  const { operators } = previous;
  await inTransaction(pool, (client) =>
    tripAndAudit(client, { scope: 'all', cause: 'restored', why, trippedAt: now, operators }),
  );
}
