/** The policy's section `tokens`: when a credential ends that nobody uses. One member for each kind of token. Pure. */
import { z } from 'zod';
import { accessTokensSection } from './access-policy.js';
import { personalTokensSection } from './personal-policy.js';
import { refreshSection } from './refresh-policy.js';

export const tokensSection = z.strictObject({
  /** Access tokens (docs/inactive-tokens.md). Absent: this policy judges none. */
  access: accessTokensSection.exactOptional(),
  /** Refresh tokens (docs/refresh-tokens.md). Absent: this policy judges none. */
  refresh: refreshSection.exactOptional(),
  /** Personal access tokens (docs/personal-access-tokens.md). Absent: this policy judges none. */
  personal: personalTokensSection.exactOptional(),
});

export type TokensPolicy = z.infer<typeof tokensSection>;
