/** Policies whose latest text was altered in the database: identities that follow them wait. */

import { latestPolicies } from '../policies/policies-table.js';
import { wayOutOfWork } from './rules.js';
import { shortSource } from './source.js';

export const alteredSource = shortSource('policy-altered', async (pool) =>
  (await latestPolicies(pool)).refused.map(({ policy, message }) => ({
    kind: 'policy-altered',
    subject: policy,
    why: message,
    wayOut: wayOutOfWork('policy-altered'),
  })),
);
