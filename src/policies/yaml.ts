/**
 * Reads the text of a policy file: YAML in, a checked {@link Policy} out. Errors name file, line, field,
 * problem and way out. Pure: the text comes from the caller.
 */
import type { z } from 'zod';
import { ConfigError } from '../config.js';
import { policySchema } from '../domain/policy/policy.js';
import type { Policy } from '../domain/policy/schema.js';
import { YamlText } from '../process/yaml-text.js';

export interface PolicyProblem {
  readonly line: number;
  /** Dotted path, such as `ladder.revoke.after`; empty for the file as a whole. */
  readonly field: string;
  readonly message: string;
}

/** A policy file that can't be used. Nothing of it is applied, and the policy in force stays. */
export class PolicyFileError extends ConfigError {
  override readonly name = 'PolicyFileError';
  constructor(
    readonly file: string,
    readonly problems: readonly PolicyProblem[],
  ) {
    super(
      problems
        .map(({ line, field, message }) => `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}`)
        .join('\n'),
    );
  }
}

const startOver = 'Mend the line, or start from policies/default.yaml';

/**
 * @param text the file's content
 * @param file its name, for messages
 * @throws PolicyFileError with every problem, not just the first
 */
export function parsePolicyFile(text: string, file: string): Policy {
  const yaml = YamlText.read(text);
  if (!(yaml instanceof YamlText)) {
    const problems = yaml.map(({ line, message, wayOut = startOver }) => ({
      line,
      field: '',
      message: `${message}. ${wayOut}`,
    }));
    throw new PolicyFileError(file, problems);
  }
  const parsed = policySchema.safeParse(yaml.values);
  if (parsed.success) return parsed.data;
  throw new PolicyFileError(file, dedupe(parsed.error.issues.flatMap((issue) => describe(issue, yaml))));
}

/**
 * Characters that YAML allows in no file, escaped or not (YAML 1.2.2, section 5.1), or PostgreSQL in no text.
 */
const unprintable = /[^\t\n\r\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * The same for a text that is to be published. The text is kept as it is, comments included, and shown on
 * terminals, so it must hold no control character.
 * @throws PolicyFileError
 */
export function parsePolicyToPublish(text: string, file: string): Policy {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => unprintable.test(line));
  // guard: policies: no control characters are published
  if (index < 0) return parsePolicyFile(text, file);
  const message = 'holds a control character, or another one that YAML does not take. Write the line without';
  throw new PolicyFileError(file, [{ line: index + 1, field: '', message }]);
}

function describe(issue: z.core.$ZodIssue, yaml: YamlText): PolicyProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: yaml.lineOf([...path, key]),
      field: [...path, key].join('.'),
      message: 'is not a field of a policy. Check its spelling and indentation, or take it out',
    }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative that the author meant is the one in which only details are wrong.
    const meant = issue.errors.find((branch) =>
      branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    );
    if (meant !== undefined) {
      return meant.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }, yaml));
    }
  }
  return [
    {
      line: yaml.lineOf(path),
      field: path.join('.'),
      message: messageOf(issue, yaml, path),
    },
  ];
}

const expectations: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, for example [7d]',
  object: 'fields below it, each as "name: value"',
  record: 'fields below it, each as "name: value"',
};

function messageOf(issue: z.core.$ZodIssue, yaml: YamlText, path: string[]): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code !== 'invalid_type') return issue.message;
  if (path.length === 0) {
    const found = yaml.isEmpty ? 'the file is empty' : 'the file holds no fields';
    return `${found}. Write a policy into it; policies/default.yaml is one to start from`;
  }
  const missing = !yaml.has(path);
  // A message of the schema itself already has the way out.
  if (!missing && !issue.message.startsWith('Invalid input')) return issue.message;
  const expected = expectations[issue.expected] ?? `a value (${issue.expected})`;
  return missing ? `is missing. Add it: ${expected}` : `is of the wrong kind. Write ${expected}`;
}

function dedupe(problems: PolicyProblem[]): PolicyProblem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = JSON.stringify(problem);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
