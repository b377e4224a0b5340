/** The policy of personal access tokens that is in force, read again while the app runs. */
import { ConfigError } from '../../config.js';
import { checkPersonalTokens } from '../../domain/tokens/personal-checks.js';
import { type PersonalTokensPolicy, personalTokensSection } from '../../domain/tokens/personal-policy.js';
import type { PolicyReader } from '../../policies/policies-table.js';
import type { PersonalTokensFields, PersonalTokensOptions } from './options.js';

export class TokenPolicySource {
  private inForce: PersonalTokensPolicy | undefined;
  /** The id of the published policy, which the engine's sweep judges by. */
  readonly publishedId: string | undefined;

  /** @throws ConfigError where the option is a policy and a field of it is wrong */
  constructor(
    option: PersonalTokensOptions['policy'],
    private readonly reader: PolicyReader,
  ) {
    this.publishedId = option.published;
    if (option.published === undefined) this.inForce = parsed(option);
  }

  /** `undefined`: never read yet. */
  current(): PersonalTokensPolicy | undefined {
    return this.inForce;
  }

  /** Reads again. @throws where it can't be read, or lacks the section: what was read last stays in force */
  async reload(): Promise<void> {
    if (this.publishedId === undefined) return;
    const { policy } = await this.reader.read(this.publishedId);
    if (policy.tokens?.personal === undefined) {
      throw new ConfigError(
        `the policy "${this.publishedId}" has no section "tokens.personal". Add one (docs/personal-access-tokens.md), or pass a policy of the app's own`,
      );
    }
    this.inForce = policy.tokens.personal;
  }
}

/** @throws ConfigError naming every field that is wrong */
function parsed({ allowShortDurations, ...section }: PersonalTokensFields): PersonalTokensPolicy {
  const result = personalTokensSection.safeParse(section);
  const problems = result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (result.success) {
    checkPersonalTokens(result.data, allowShortDurations === true, (path, message) =>
      problems.push(`${path.join('.')}: ${message}`),
    );
    if (problems.length === 0) return result.data;
  }
  throw new ConfigError(problems.map((problem) => `the policy of tokens: ${problem}`).join('\n'));
}
