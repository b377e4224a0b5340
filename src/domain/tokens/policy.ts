/** The policy's section `tokens`: when a credential ends that nobody uses. One member for each kind of token. Pure. */
import { z } from 'zod';
import { personalTokensSection } from './personal-policy.js';

export const tokensSection = z.strictObject({
  /** Personal access tokens (docs/personal-access-tokens.md). Absent: none are judged by this policy. */
  personal: personalTokensSection.optional(),
});

export type TokensPolicy = z.infer<typeof tokensSection>;
