/**
 * Reads the text of a policy file: YAML in, a checked {@link Policy} out, and errors that name file, line, field,
 * problem and way out. Pure: the text comes from the caller.
 */
import {
  type Document,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { z } from 'zod';
import { ConfigError } from '../config.js';
import { policySchema } from '../domain/policy/policy.js';
import type { Policy } from '../domain/policy/schema.js';

export interface PolicyProblem {
  readonly line: number;
  /** Dotted path, as `ladder.revoke.after`; empty for the file as a whole. */
  readonly field: string;
  readonly message: string;
}

/** A policy file that can't be used. Nothing of it is applied; the policy in force stays. */
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

/**
 * @param text the file's content
 * @param file its name, for messages
 * @throws PolicyFileError with every problem, not just the first
 */
export function parsePolicyFile(text: string, file: string): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new PolicyFileError(
      file,
      document.errors.map((error) => ({
        line: lines.linePos(error.pos[0]).line,
        field: '',
        message: describeYaml(error),
      })),
    );
  }
  const parsed = policySchema.safeParse(valuesOf(document, file));
  if (parsed.success) return parsed.data;
  const root = document.contents;
  throw new PolicyFileError(
    file,
    dedupe(parsed.error.issues.flatMap((issue) => describe(issue, root, lines))),
  );
}

/** What YAML takes in no file, escaped or not (YAML 1.2.2, section 5.1), or PostgreSQL in no text. */
const unprintable = /[^\t\n\r\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * The same for a text that is to be published: it is kept as it stands and shown on terminals, comments included, so it must hold
 * no control character.
 * @throws PolicyFileError
 */
export function parsePolicyToPublish(text: string, file: string): Policy {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => unprintable.test(line));
  if (index < 0) return parsePolicyFile(text, file);
  const message = 'holds a control character, or another one that YAML does not take. Write the line without';
  throw new PolicyFileError(file, [{ line: index + 1, field: '', message }]);
}

function describeYaml(error: YAMLError): string {
  const problem = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.code;
  if (error.code === 'DUPLICATE_KEY') return 'the same field stands here for the second time. Take one out';
  return `is not YAML: ${problem}. Mend the line, or start from policies/default.yaml`;
}

/** Aliases are resolved only here: one that leads nowhere shows late, and without its place. */
function valuesOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const message = `is not YAML: ${error.message}. Write the value out instead of the alias`;
    throw new PolicyFileError(file, [{ line: 1, field: '', message }]);
  }
}

function describe(issue: z.core.$ZodIssue, root: Node | null, lines: LineCounter): PolicyProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: lineOf(root, [...path, key], lines),
      field: [...path, key].join('.'),
      message: 'is not a field of a policy. Check its spelling and indentation, or take it out',
    }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative that was meant is the one that only details of are wrong.
    const meant = issue.errors.find((branch) =>
      branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    );
    if (meant !== undefined) {
      return meant.flatMap((inner) =>
        describe({ ...inner, path: [...issue.path, ...inner.path] }, root, lines),
      );
    }
  }
  return [
    {
      line: lineOf(root, path, lines),
      field: path.join('.'),
      message: messageOf(issue, root, path),
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

function messageOf(issue: z.core.$ZodIssue, root: Node | null, path: string[]): string {
  if (issue.code !== 'invalid_type') return issue.message;
  if (path.length === 0) {
    const found = root === null ? 'the file is empty' : 'the file holds no fields';
    return `${found}. Write a policy into it; policies/default.yaml is one to start from`;
  }
  const missing = nodeAt(root, path) === undefined;
  // A message of the schema's own says the way out already.
  if (!missing && !issue.message.startsWith('Invalid input')) return issue.message;
  const expected = expectations[issue.expected] ?? `a value (${issue.expected})`;
  return missing ? `is missing. Add it: ${expected}` : `is of the wrong kind. Write ${expected}`;
}

/** The line of the field, or of the nearest parent that is written down. */
function lineOf(root: Node | null, path: string[], lines: LineCounter): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const offset = keyOffset(root, path.slice(0, depth));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function keyOffset(root: Node | null, path: string[]): number | undefined {
  const parent = path.length === 1 ? root : nodeAt(root, path.slice(0, -1));
  const last = path[path.length - 1];
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && String(item.key) === last);
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  return nodeAt(root, path)?.range?.[0];
}

function nodeAt(root: Node | null, path: string[]): Node | undefined {
  let node: unknown = root;
  for (const part of path) {
    if (!isNode(node) || !('get' in node) || typeof node.get !== 'function') return undefined;
    node = node.get(isMap(node) ? part : Number(part), true);
  }
  return isNode(node) ? node : undefined;
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
