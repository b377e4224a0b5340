/** The Temporal Schedule of the sweep that ends personal access tokens. */
import { sweepSchedule } from '../../process/schedule-set.js';
import type { EndPersonalTokensInput } from '../../workflows/schedule-messages.js';

export const personalTokenSweep = sweepSchedule<EndPersonalTokensInput>({
  folder: 'personal-tokens',
  name: 'end-stale',
  workflowType: 'endPersonalTokens',
  input: { schemaVersion: 1 },
});
