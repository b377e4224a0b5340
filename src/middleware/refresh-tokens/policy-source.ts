/** The refresh policy in force. */
import { ConfigError } from '../../config.js';
import { checkRefresh } from '../../domain/tokens/refresh-checks.js';
import { type RefreshPolicy, refreshSection } from '../../domain/tokens/refresh-policy.js';
import type { PolicyReader } from '../../policies/policies-table.js';
import type { JudgedBy } from '../../tokens/refresh/judged-by.js';
import type { RefreshFields, RefreshTokensOptions } from './options.js';

/** How long a published policy is used before it is read again, milliseconds. */
const freshMs = 10_000;

export class RefreshPolicySource {
  private known: { readonly judgedBy: JudgedBy; readonly readAt: number } | undefined;
  /** The app's own policy, or the id of a published one. */
  private readonly source: JudgedBy | string;

  /** @throws ConfigError where the option is a policy and a field of it is wrong */
  constructor(
    option: RefreshTokensOptions['policy'],
    private readonly reader: PolicyReader,
  ) {
    this.source = option.published ?? { policy: parsed(option) };
  }

  /** @throws UnknownPolicyError; ConfigError where a published policy has no such section; where PostgreSQL is away */
  async current(): Promise<JudgedBy> {
    if (typeof this.source !== 'string') return this.source;
    const now = performance.now();
    if (this.known !== undefined && now - this.known.readAt < freshMs) return this.known.judgedBy;
    const { policy, reference } = await this.reader.read(this.source);
    if (policy.tokens?.refresh === undefined) {
      throw new ConfigError(
        `the policy "${this.source}" has no section "tokens.refresh". Add one (docs/refresh-tokens.md), or give the service a policy of its own`,
      );
    }
    this.known = { judgedBy: { policy: policy.tokens.refresh, reference }, readAt: now };
    return this.known.judgedBy;
  }
}

/** @throws ConfigError naming every field that is wrong */
function parsed(fields: RefreshFields): RefreshPolicy {
  const { allowShortDurations, ...section } = fields;
  const result = refreshSection.safeParse(section);
  const problems: string[] = [];
  const note = (path: readonly PropertyKey[], message: string) =>
    problems.push(`the refresh policy: ${path.join('.')}: ${message}`);
  if (!result.success) for (const { path, message } of result.error.issues) note(path, message);
  else checkRefresh(result.data, allowShortDurations === true, note);
  if (result.success && problems.length === 0) return result.data;
  throw new ConfigError(problems.join('\n'));
}
