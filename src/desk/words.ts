/** What the desk calls things. Pure. */
import type { BlockedBy } from '../domain/lifecycle/next-step.js';
import type { WorkKind } from '../worklist/rules.js';

export const blockNames: Readonly<Record<BlockedBy, string>> = {
  breaker: 'the breaker',
  parked: 'a parked step',
  missing: 'not in Kratos any more',
  'no-notice': 'no notice could be delivered',
  hold: 'a hold',
  exempt: 'an exemption',
  'disabled-by-admin': 'disabled by hand in Kratos',
};

export const workNames: Readonly<Record<WorkKind, string>> = {
  'breaker-tripped': 'Breaker is tripped',
  'release-pending': 'Release waits for approval',
  'policy-altered': 'Policy was altered',
  missing: 'Missing in Kratos',
  parked: 'Parked steps',
  'no-notice': 'No notice could be delivered',
  'exemption-review': 'Exemption to be reviewed',
  'exemption-without-owner': 'Exemption without an owner',
  'hold-ends': 'Hold ends soon',
  'deletion-skipped': 'Deletion was skipped',
  'disabled-by-admin': 'Disabled by hand for long',
  warning: 'Warnings',
};
