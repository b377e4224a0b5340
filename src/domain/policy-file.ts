/**
 * Reads the text of a policy file: YAML in, a checked {@link Policy} out, and errors that name file, line, field,
 * problem and way out. Pure: the text comes from the caller.
 */
import { isMap, isNode, isPair, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Policy, policySchema } from './policy.js';

export interface PolicyProblem {
  readonly line: number;
  /** Dotted path, as `ladder.revoke.after`; empty for the file as a whole. */
  readonly field: string;
  readonly message: string;
}

/** A policy file that can't be used. Nothing of it is applied; the policy in force stays. */
export class PolicyFileError extends Error {
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
        message: `is not YAML: ${error.message.split('\n')[0] ?? error.code}`,
      })),
    );
  }
  const parsed = policySchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const root = document.contents;
  throw new PolicyFileError(
    file,
    dedupe(parsed.error.issues.flatMap((issue) => describe(issue, root, lines))),
  );
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
    const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0) {
      return describe({ ...deepest, path: [...issue.path, ...deepest.path] }, root, lines);
    }
  }
  const missing = issue.code === 'invalid_type' && nodeAt(root, path) === undefined;
  return [
    {
      line: lineOf(root, path, lines),
      field: path.join('.'),
      message: missing ? `is missing. Add it (${issue.message})` : issue.message,
    },
  ];
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
