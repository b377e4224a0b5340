/** The Temporal Schedule of the sweep of refresh tokens. */
import { sweepSchedule } from '../../process/schedule-set.js';
import type { SweepRefreshTokensInput } from '../../workflows/schedule-messages.js';

export const refreshSweep = sweepSchedule<SweepRefreshTokensInput>({
  folder: 'refresh-tokens',
  name: 'sweep',
  workflowType: 'sweepRefreshTokens',
  input: { schemaVersion: 1 },
});
