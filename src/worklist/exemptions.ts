/**
 * Exemptions to review: operators' ones past their review, and policies' ones without
 * an owner or past their review.
 */

import type pg from 'pg';
import { given } from '../domain/given.js';
import { countExemptionsToReview, exemptionsInForce } from '../exemptions/exemptions-table.js';
import { latestPolicies } from '../policies/policies-table.js';
import { type WorkItem, wayOutOfWork } from './rules.js';
import { shortSource, type WorkQuery, type WorkSource } from './source.js';

/** Operators' exemptions. A key is the review time and the id. The policies' exemptions follow after them. */
const ofOperators: Pick<WorkSource, 'count' | 'page'> = {
  count: (pool, { now }) => countExemptionsToReview(pool, now),
  async page(pool, { now }, after, rows) {
    const [reviewAt = '', id = ''] = after?.split('.') ?? [];
    const place = after === undefined ? {} : { after: { reviewAt: Number(reviewAt), id: Number(id) } };
    const found = await exemptionsInForce(pool, { ...place, reviewUpTo: now, rows });
    return found.map((exemption) => ({
      key: `${exemption.reviewAt}.${exemption.id}`,
      item: {
        kind: 'exemption-review',
        identityId: exemption.identityId,
        subject: exemption.kind,
        why: `exempt (${exemption.reason}), set by ${exemption.setBy}; its review is overdue, and it stays in force`,
        wayOut: wayOutOfWork('exemption-review'),
        owner: exemption.owner,
        since: exemption.reviewAt,
      },
    }));
  },
};

// guard: work list: overdue reviews of exemptions
const ofPolicies = shortSource('exemption-review', async (pool, { now }) =>
  (await excluded(pool)).flatMap(({ id, kind, owner, reviewAt, policy }): WorkItem[] =>
    reviewAt === undefined || reviewAt > now
      ? []
      : [
          {
            kind: 'exemption-review',
            identityId: id,
            subject: kind ?? 'excluded-identity',
            why: `excluded by the policy "${policy}"; its review is overdue, and it stays in force`,
            wayOut: wayOutOfWork('exemption-review'),
            ...given({ owner }),
            since: reviewAt,
          },
        ],
  ),
);

export const reviewSource: WorkSource = {
  kind: 'exemption-review',
  keyPattern: /^(?:\d{1,16}\.\d{1,18}|\d{1,9})$/,
  count: async (pool, query) =>
    (await ofOperators.count(pool, query)) + (await ofPolicies.count(pool, query)),
  async page(pool, query, after, rows) {
    if (after !== undefined && !after.includes('.')) return ofPolicies.page(pool, query, after, rows);
    const first = await ofOperators.page(pool, query, after, rows);
    if (first.length === rows) return first;
    return [...first, ...(await ofPolicies.page(pool, query, undefined, rows - first.length))];
  },
};

export const ownerlessSource = shortSource(
  'exemption-without-owner',
  // guard: work list: exclusions that nobody answers for
  async (pool: pg.Pool, _query: WorkQuery) =>
    (await excluded(pool)).flatMap(({ id, kind, owner, policy }): WorkItem[] =>
      owner !== undefined
        ? []
        : [
            {
              kind: 'exemption-without-owner',
              identityId: id,
              subject: kind ?? 'excluded-identity',
              why: `excluded by the policy "${policy}", and nobody answers for it`,
              wayOut: wayOutOfWork('exemption-without-owner'),
            },
          ],
    ),
);

interface Excluded {
  readonly id: string;
  readonly policy: string;
  readonly kind?: string | undefined;
  readonly owner?: string | undefined;
  readonly reviewAt?: number | undefined;
}

/** The ids that the latest version of each policy excludes. */
async function excluded(pool: pg.Pool): Promise<Excluded[]> {
  // An altered policy is an item of its own.
  return (await latestPolicies(pool)).policies.flatMap(({ policy }) =>
    policy.exclusions.identities.map((one) => ({ ...one, policy: policy.id })),
  );
}
