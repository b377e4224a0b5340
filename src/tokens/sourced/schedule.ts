/** The Temporal Schedules of the sweeps over apps' own tables of tokens. */
import { scheduleSet } from '../../process/schedule-set.js';
import type { EndSourcedTokensInput } from '../../workflows/schedule-messages.js';
import type { TokenSource } from './source-file.js';

export const tokenSourceSchedules = scheduleSet<TokenSource, EndSourcedTokensInput>({
  folder: 'token-source',
  workflowType: 'endSourcedTokens',
  every: ({ every }) => every,
  input: ({ name }) => ({ schemaVersion: 1, source: name }),
});
