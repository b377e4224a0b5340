/** A section of the policy that is in force, read again while the app runs. */
import { ConfigError } from '../config.js';
import type { Policy } from '../domain/policy/schema.js';
import type { PolicyReference } from '../domain/policy-reference.js';
import type { PolicyReader } from '../policies/policies-table.js';

/** Allows limits that are too short for people, in tests and demonstrations. */
export interface AllowsShort {
  readonly allowShortDurations?: boolean;
  readonly published?: never;
}

/** Where a section comes from. */
export type PolicyOption<Fields> =
  | (Fields & AllowsShort)
  /** The latest published version of this policy, which is read again every `pollMs`. */
  | { readonly published: string }
  /** Called every `pollMs`. A failure keeps what was read last. */
  | (() => (Fields & AllowsShort) | Promise<Fields & AllowsShort>);

/** A section of the policy, as a guard takes it. */
export interface PolicySection<Section> {
  /** As a policy file names it: `sessions`. */
  readonly name: string;
  /** Where it is described. */
  readonly document: string;
  readonly of: (policy: Policy) => Section | undefined;
  /** Reads its fields, as a policy file writes them. */
  readonly parse: (fields: unknown) => {
    readonly success: boolean;
    readonly data?: Section;
    readonly error?: { readonly issues: readonly { path: PropertyKey[]; message: string }[] };
  };
  readonly check: (
    section: Section,
    allowsShort: boolean,
    report: (path: readonly (string | number)[], message: string) => void,
  ) => void;
}

export interface SectionInForce<Section> {
  readonly policy: Section;
  /** Absent: the app's own. */
  readonly reference?: PolicyReference;
}

export class PolicySource<Section, Fields extends object> {
  private inForce: SectionInForce<Section> | undefined;

  /** @throws ConfigError where the option is a policy and a field of it is wrong */
  constructor(
    private readonly section: PolicySection<Section>,
    private readonly option: PolicyOption<Fields>,
    private readonly reader: PolicyReader,
  ) {
    if (isFields(option)) this.inForce = { policy: this.parsed(option) };
  }

  /** The id of the published policy, which the engine's sweep judges by. */
  get publishedId(): string | undefined {
    return typeof this.option !== 'function' && isPublished(this.option) ? this.option.published : undefined;
  }

  /** `undefined`: never read yet. */
  current(): SectionInForce<Section> | undefined {
    return this.inForce;
  }

  /** Reads again. @throws where it can't be read, or a field is wrong: what was read last stays in force */
  async reload(): Promise<void> {
    const { option } = this;
    if (typeof option === 'function') this.inForce = { policy: this.parsed(await option()) };
    else if (isPublished(option)) {
      const { policy, reference } = await this.reader.read(option.published);
      const section = this.section.of(policy);
      if (section === undefined) {
        throw new ConfigError(
          `the policy "${option.published}" has no section "${this.section.name}". Add one (${this.section.document}), or give the guard a policy of its own`,
        );
      }
      this.inForce = { policy: section, reference };
    }
  }

  /** @throws ConfigError naming every field that is wrong */
  private parsed({ allowShortDurations, ...fields }: Fields & AllowsShort): Section {
    const { name, parse, check } = this.section;
    const { data, error } = parse(fields);
    const problems: string[] = [];
    const report = (path: readonly PropertyKey[], message: string) => {
      problems.push(`the policy: ${[name, ...path].join('.')}: ${message}`);
    };
    for (const { path, message } of error?.issues ?? []) report(path, message);
    if (data !== undefined) {
      check(data, allowShortDurations === true, report);
      if (problems.length === 0) return data;
    }
    throw new ConfigError(problems.join('\n'));
  }
}

function isFields<Fields extends object>(option: PolicyOption<Fields>): option is Fields & AllowsShort {
  return typeof option !== 'function' && !isPublished(option);
}

function isPublished<Fields extends object>(
  option: (Fields & AllowsShort) | { readonly published: string },
): option is { readonly published: string } {
  return option.published !== undefined;
}
