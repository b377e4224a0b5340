/** Policies whose latest text was altered in the database: whoever follows them waits. */
import { wayOutOfWork } from '../../domain/work-item.js';
import { latestPolicies } from '../policies.js';
import { shortSource } from './source.js';

export const alteredSource = shortSource('policy-altered', async (pool) =>
  (await latestPolicies(pool)).refused.map(({ policy, message }) => ({
    kind: 'policy-altered',
    subject: policy,
    why: message,
    wayOut: wayOutOfWork('policy-altered'),
  })),
);
