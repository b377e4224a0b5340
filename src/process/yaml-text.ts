/**
 * The text of a YAML file: its values, its syntax problems, and the line of each field. Pure:
 * the text comes from the caller.
 */
import { type Document, isMap, isNode, isPair, LineCounter, type Node, parseDocument } from 'yaml';

export interface YamlProblem {
  readonly line: number;
  readonly message: string;
  /** Absent where the parser only says what is wrong. */
  readonly wayOut?: string;
}

type Path = readonly string[];

export class YamlText {
  private constructor(
    /** What the file holds, as plain values. */
    readonly values: unknown,
    private readonly root: Node | null,
    private readonly lines: LineCounter,
  ) {}

  /** @returns the text, or every problem that keeps it from being valid YAML with one value per field */
  static read(text: string): YamlText | readonly YamlProblem[] {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
    if (document.errors.length > 0) {
      return document.errors.map(({ pos, code, message }) => ({
        line: lines.linePos(pos[0]).line,
        ...describe(code, message),
      }));
    }
    const values = valuesOf(document);
    if ('message' in values) return [{ line: 1, ...values }];
    return new YamlText(values.values, document.contents, lines);
  }

  get isEmpty(): boolean {
    return this.root === null;
  }

  /** Whether the file contains the field. */
  has(path: Path): boolean {
    return nodeAt(this.root, path) !== undefined;
  }

  /** The line of the field, or of its nearest parent in the file. */
  lineOf(path: Path): number {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const offset = keyOffset(this.root, path.slice(0, depth));
      if (offset !== undefined) return this.lines.linePos(offset).line;
    }
    return 1;
  }
}

type Trouble = Omit<YamlProblem, 'line'>;

function describe(code: string, message: string): Trouble {
  if (code === 'DUPLICATE_KEY') {
    return { message: 'the same field stands here for the second time', wayOut: 'Take one out' };
  }
  const problem = message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? code;
  return { message: `is not YAML: ${problem}` };
}

/** Aliases are resolved only here: an alias without a target fails late, and without its place. */
function valuesOf(document: Document.Parsed): { values: unknown } | Trouble {
  try {
    return { values: document.toJS() };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return {
      message: `is not YAML: ${error.message}`,
      wayOut: 'Write the value out instead of the alias',
    };
  }
}

function keyOffset(root: Node | null, path: Path): number | undefined {
  const parent = path.length === 1 ? root : nodeAt(root, path.slice(0, -1));
  const last = path[path.length - 1];
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && String(item.key) === last);
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  return nodeAt(root, path)?.range?.[0];
}

function nodeAt(root: Node | null, path: Path): Node | undefined {
  let node: unknown = root;
  for (const part of path) {
    if (!isNode(node) || !('get' in node) || typeof node.get !== 'function') return undefined;
    node = node.get(isMap(node) ? part : Number(part), true);
  }
  return isNode(node) ? node : undefined;
}
