/** Activities on Dormouse's own PostgreSQL: revocation time, projection, audit, tombstone. Safe to repeat. */
import type pg from 'pg';
import type { AuditEntry } from '../domain/audit-entry.js';
import type { PolicyReference } from '../domain/plan.js';
import type { Standing } from '../domain/standing.js';
import { appendAudit } from '../store/audit-log.js';
import { writeNotBefore } from '../store/revocations.js';
import { writeStanding } from '../store/standings.js';
import { buryIdentity } from '../store/tombstones.js';

export function createLedgerActivities({ pool }: { readonly pool: pg.Pool }) {
  return {
    /** From now on, whatever was issued before `at` is void wherever a checker asks. */
    async writeNotBefore(input: { identityId: string; at: number }): Promise<void> {
      await writeNotBefore(pool, input.identityId, input.at);
    },

    /** Writes the projection and the audit entries that are due, in this order. */
    async record(input: {
      standing?: Standing;
      revision: number;
      audit: readonly AuditEntry[];
    }): Promise<void> {
      if (input.standing !== undefined) await writeStanding(pool, input.standing, input.revision);
      await appendAudit(pool, input.audit);
    },

    /** Forgets what Dormouse knew of a deleted identity, and leaves a tombstone. */
    async bury(input: { identityId: string; policy?: PolicyReference; deletedAt: number }): Promise<void> {
      await buryIdentity(pool, input.identityId, input.policy, input.deletedAt);
    },
  };
}

export type LedgerActivities = ReturnType<typeof createLedgerActivities>;
