/** Activities on Dormouse's own PostgreSQL: revocation time, projection, audit, tombstone. Safe to repeat. */
import type pg from 'pg';
import { appendAudit } from '../audit/log-table.js';
import { tripIfRestored, type WrittenBefore } from '../breaker/restored-database.js';
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
import { giveUp } from '../process/step-error.js';
import { fillOutbox, type Subscription } from '../security-events/outbox-table.js';
import { forgetSigns } from '../signs/signs-table.js';
import { writeStanding } from '../standings/standings-table.js';
import { writeNotBefore } from '../tokens/revocations-table.js';

export interface LedgerDependencies {
  readonly pool: pg.Pool;
  readonly policies: PolicyReader;
  /** The receivers of security events about these acts. Default: none. */
  readonly receivers?: readonly Subscription[];
  /** Signs receipts of deletions; absent: they are not signed. */
  readonly signingKey?: PrivateSigningKey;
  /** Called after an append to the audit log. Must return at once. */
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
    /** From now on, everything issued before `at` is void wherever `not_before` is checked. */
    async writeNotBefore(input: { identityId: string; at: number }): Promise<void> {
      await writeNotBefore(pool, input.identityId, input.at);
    },

    /** Writes the pending projection and audit entries, in this order. */
    async record(input: {
      standing?: Standing;
      revision: number;
      previous?: WrittenBefore;
      audit: readonly AuditEntry[];
      /** Keys of the running notices: addresses of other notices are forgotten. Absent: none are. */
      notices?: readonly string[];
    }): Promise<void> {
      const { standing, previous } = input;
      if (standing !== undefined && previous !== undefined) {
        // guard: breaker: a restored database
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

    /** Forgets Dormouse's data of an identity that no longer exists, and leaves a tombstone. */
    async bury(input: {
      identityId: string;
      policy?: PolicyReference;
      deletedAt: number;
      action?: 'delete' | 'anonymise';
    }): Promise<void> {
      await buryIdentity(pool, input.identityId, input.policy, input.deletedAt, input.action);
    },

    /** @returns the hold as kept; its id may differ */
    async keepHold(input: { identityId: string; hold: Hold; requestKey?: string }): Promise<Hold> {
      return keepHold(pool, input.identityId, input.hold, input.requestKey);
    },

    async endHold(input: { identityId: string; holdId: string; at: number }): Promise<void> {
      await endHold(pool, input.identityId, input.holdId, input.at);
    },

    /** Takes over holds that a lifecycle of an older build remembers. */
    async takeOverHolds(input: { identityId: string; holds: readonly Hold[] }): Promise<void> {
      await takeOverHolds(pool, input.identityId, input.holds);
    },

    /** A buried identity is there again. */
    async liftTombstone(input: { identityId: string }): Promise<void> {
      await liftTombstone(pool, input.identityId);
    },

    /** @returns the signed receipt, where there is a signing key */
    async signReceipt(receipt: DeletionReceipt): Promise<{ receipt?: string }> {
      return signingKey === undefined ? {} : { receipt: await signReceipt(receipt, signingKey) };
    },

    /** Forgets signs of life of an identity that never existed. */
    async forgetUnknown(input: { identityId: string }): Promise<void> {
      await forgetSigns(pool, input.identityId);
    },

    /**
     * For a caller who waits for the answer.
     * @throws UnknownPolicy when it was never published, PolicyAltered; neither is retried
     */
    async checkPolicy(input: { policyChoice: PolicyChoice }): Promise<PolicyReference> {
      return (await readPolicy(policies, input.policyChoice, giveUp)).reference;
    },
  };
}

export type LedgerActivities = ReturnType<typeof createLedgerActivities>;
