/** The policy in force, read again while the app runs. */
import { ConfigError } from '../../config.js';
import type { PolicyReference } from '../../domain/policy-reference.js';
import { checkSessions } from '../../domain/sessions/checks.js';
import { type SessionsPolicy, sessionsSection } from '../../domain/sessions/policy.js';
import type { PolicyReader } from '../../policies/policies-table.js';
import type { PolicyOption, SessionsFields } from './options.js';

export interface PolicyInForce {
  readonly policy: SessionsPolicy;
  /** Absent: the app's own. */
  readonly reference?: PolicyReference;
}

export class PolicySource {
  private inForce: PolicyInForce | undefined;

  /** @throws ConfigError where the option is a policy and a field of it is wrong */
  constructor(
    private readonly option: PolicyOption,
    private readonly reader: PolicyReader,
  ) {
    if (isFields(option)) this.inForce = { policy: parsed(option) };
  }

  /** The id of the published policy, which the engine's sweep judges by. */
  get publishedId(): string | undefined {
    return typeof this.option !== 'function' && isPublished(this.option) ? this.option.published : undefined;
  }

  /** `undefined`: never read yet. */
  current(): PolicyInForce | undefined {
    return this.inForce;
  }

  /** Reads again. @throws where it can't be read, or a field is wrong: what was read last stays in force */
  async reload(): Promise<void> {
    const { option } = this;
    if (typeof option === 'function') this.inForce = { policy: parsed(await option()) };
    else if (isPublished(option)) {
      const { policy, reference } = await this.reader.read(option.published);
      if (policy.sessions === undefined) {
        throw new ConfigError(
          `the policy "${option.published}" has no section "sessions". Add one (docs/idle-sessions.md), or give the guard a policy of its own`,
        );
      }
      this.inForce = { policy: policy.sessions, reference };
    }
  }
}

function isFields(option: PolicyOption): option is SessionsFields {
  return typeof option !== 'function' && !isPublished(option);
}

function isPublished(option: Exclude<PolicyOption, () => unknown>): option is { published: string } {
  return option.published !== undefined;
}

/** @throws ConfigError naming every field that is wrong */
function parsed(fields: SessionsFields): SessionsPolicy {
  const { allowShortDurations, ...section } = fields;
  const result = sessionsSection.safeParse(section);
  const problems = result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (result.success) {
    checkSessions(result.data, allowShortDurations === true, (path, message) =>
      problems.push(`${path.join('.')}: ${message}`),
    );
    if (problems.length === 0) return result.data;
  }
  throw new ConfigError(problems.map((problem) => `the session policy: ${problem}`).join('\n'));
}
