/** The policy of personal access tokens, and the database's clock: read at intervals, kept while PostgreSQL is away. */
import type pg from 'pg';
import { ConfigError } from '../../config.js';
import { given } from '../../domain/given.js';
import { checkPersonalTokens } from '../../domain/tokens/personal-checks.js';
import { type PersonalTokensPolicy, personalTokensSection } from '../../domain/tokens/personal-policy.js';
import { PolicyReader, UnknownPolicyError } from '../../policies/policies-table.js';
import { databaseNow } from '../../postgres/database-now.js';
import { DatabaseClock } from '../database-clock.js';
import { type PolicySection, PolicySource } from '../policy-source.js';
import { UnjudgedError } from '../unjudged.js';
import type { PersonalTokensFields, PersonalTokensOptions } from './options.js';

const personalOfPolicy: PolicySection<PersonalTokensPolicy> = {
  name: 'tokens.personal',
  document: 'docs/personal-access-tokens.md',
  of: (policy) => policy.tokens?.personal,
  parse: (fields) => personalTokensSection.safeParse(fields),
  check: checkPersonalTokens,
};

export class PolicyInForce {
  private readonly policies: PolicySource<PersonalTokensPolicy, PersonalTokensFields>;
  private readonly clock = new DatabaseClock();
  /** Why the policy can't be had, where waiting does not help. */
  private mistake: unknown;

  /** @throws ConfigError where a field of the policy is wrong */
  constructor(
    private readonly pool: pg.Pool,
    policy: PersonalTokensOptions['policy'],
  ) {
    this.policies = new PolicySource(personalOfPolicy, policy, new PolicyReader(pool));
  }

  /** The database's clock, epoch milliseconds. */
  readonly now = (): number => this.clock.now();

  /** Absent where the app's own options say the policy. */
  get publishedId(): string | undefined {
    return this.policies.publishedId;
  }

  /** `undefined`: it was never read. */
  current(): PersonalTokensPolicy | undefined {
    return this.policies.current()?.policy;
  }

  /** @throws UnjudgedError where it was never read; its `cause` says what operators have to mend */
  get(): PersonalTokensPolicy {
    const policy = this.current();
    if (policy === undefined) throw new UnjudgedError('policy', given({ cause: this.mistake }));
    return policy;
  }

  /** @throws what PostgreSQL says; ConfigError, UnknownPolicyError */
  async reload(): Promise<void> {
    const askedAt = performance.now();
    this.clock.set(await databaseNow(this.pool), askedAt);
    try {
      await this.policies.reload();
      this.mistake = undefined;
    } catch (error) {
      this.mistake = isMistake(error) ? error : undefined;
      throw error;
    }
  }
}

/** Whether waiting does not help: operators have to mend it. */
export function isMistake(error: unknown): boolean {
  return error instanceof ConfigError || error instanceof UnknownPolicyError;
}
