/** The lines of the audit log about tokens in apps' own tables. */
import type pg from 'pg';
import type { AuditEntry } from '../../domain/audit-entry.js';
import { inDays } from '../../domain/duration.js';
import { given } from '../../domain/given.js';
import type { Stage } from '../../domain/rungs.js';
import type { IntendedEnd } from './ends-table.js';
import type { DueSourced, SourceDependencies } from './judge.js';

/** An id that says nothing of anybody. Others may be names, or tokens themselves: the log gets the beginning of their hash. */
const harmlessId = /^(\d{1,20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

export async function entriesOf(
  deps: SourceDependencies,
  ends: readonly DueSourced[],
): Promise<IntendedEnd[]> {
  const owners = ends.map(({ identityId }) => identityId);
  const stages = await stagesOf(deps.pool, owners);
  return ends.map((end) => ({
    ...{ idHash: end.idHash, identityId: end.identityId },
    ...given({ lastUsedAt: end.token.lastUsedAt }),
    entry: entryOf(deps, end, stages.get(end.identityId) ?? 'active'),
  }));
}

function entryOf({ source, published, now }: SourceDependencies, end: DueSourced, stage: Stage): AuditEntry {
  const { token, why, rule, endedAt, idHash, identityId } = end;
  const { id, createdAt, lastUsedAt } = token;
  const unusedDays = Math.max(0, inDays(now - (lastUsedAt ?? createdAt)));
  return {
    // The same end tried again is the same line; after a use it is another.
    eventId: `sourced-token/${source.name}/${idHash}/${lastUsedAt ?? createdAt}/${why}`,
    eventType: why === 'inactive' ? 'tokens_revoked_stale' : 'personal_token_expired',
    ...{ target: identityId, actor: 'engine', occurredAt: now, policy: published.reference },
    ...{ stage, daysInactive: unusedDays, outcome: 'ended' },
    detail: {
      ...{ endedAt, isNeverUsed: lastUsedAt === undefined, source: source.name },
      tokenId: harmlessId.test(id) ? id : `sha256:${idHash.slice(0, 16)}`,
      ...{ tokenType: source.type, type: 'personal', unusedDays: Math.floor(unusedDays) },
      ...given({ rule }),
    },
  };
}

async function stagesOf(pool: pg.Pool, identityIds: readonly string[]): Promise<Map<string, Stage>> {
  const { rows } = await pool.query<{ identity_id: string; stage: Stage }>(
    'SELECT identity_id, stage FROM standing WHERE identity_id = ANY($1::uuid[])',
    [identityIds],
  );
  return new Map(rows.map(({ identity_id, stage }) => [identity_id, stage]));
}
