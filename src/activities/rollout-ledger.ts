/** Activities that write down how a policy's roll-out goes, and take it back. Each may run again at any time. */
import { ApplicationFailure } from '@temporalio/common';
import type pg from 'pg';
import { appendAudit } from '../audit/log-table.js';
import { installationId } from '../domain/audit-entry.js';
import { AlteredPolicyError, UnknownPolicyError } from '../policies/policies-table.js';
import { type PolicyDecision, PolicyMovedError, rollBackPolicy } from '../policies/publication.js';
import { PolicyFileError } from '../policies/yaml.js';
import { stateOfRollout, writeRollout } from '../rollout/rollouts-table.js';
import type { RolloutProgress } from '../workflows/rollout-messages.js';

export function createRolloutLedgerActivities({ pool }: { readonly pool: pg.Pool }) {
  return {
    /** Writes how far a roll-out is, for reports and for workers that look for versions to be rolled out. */
    async recordRollout(input: { progress: RolloutProgress; isCancelled?: boolean }): Promise<void> {
      const { progress, isCancelled } = input;
      await writeRollout(pool, progress, isCancelled === true ? 'cancelled' : stateOfRollout(progress));
    },

    async auditRollout(input: {
      eventType: 'policy_rollout_paused' | 'policy_rollout_resumed';
      policyId: string;
      version: number;
      actor: string;
      reason: string;
      /** Names the request, so that its entry is written once. */
      key: string;
      at: number;
    }): Promise<void> {
      const { eventType, policyId, version, actor, reason, key, at } = input;
      await appendAudit(pool, [
        {
          eventId: `${eventType}/${policyId}@${version}/${key}`,
          ...{ eventType, target: installationId, actor, occurredAt: at, stage: 'none', daysInactive: 0 },
          outcome: `version ${version}`,
          detail: { reason, policyId, version },
        },
      ]);
    },

    /**
     * Publishes the text of an earlier version as the next one.
     * @returns the version that is in force now
     * @throws PolicyMovedError, UnknownPolicyError, AlteredPolicyError and PolicyFileError, none of them retried
     */
    async rollBackPolicy(input: { policyId: string; to: number; decision: PolicyDecision }): Promise<number> {
      const { policyId, to, decision } = input;
      try {
        const { reference } = await rollBackPolicy(pool, { id: policyId, to }, decision);
        return reference.version;
      } catch (error) {
        throw isRefusal(error) ? ApplicationFailure.nonRetryable(error.message, error.name) : error;
      }
    },
  };
}

const refusals = [PolicyMovedError, UnknownPolicyError, AlteredPolicyError, PolicyFileError];

function isRefusal(error: unknown): error is Error {
  return refusals.some((refusal) => error instanceof refusal);
}

export type RolloutLedgerActivities = ReturnType<typeof createRolloutLedgerActivities>;
