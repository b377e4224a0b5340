/** The syntax of a TypeScript file, as far as guards need it. The parser only. */
import { parse } from '@babel/parser';

export interface SyntaxNode {
  readonly type: string;
  /** Offsets in the text; `end` is behind the last character. */
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** @throws SyntaxError when the text is no TypeScript */
export function parseTypeScript(text: string): SyntaxNode {
  const { program } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  if (!isNode(program)) throw new SyntaxError('the parser gave no program');
  return program;
}

/** The nodes directly below, in the order of the text. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.entries(node)
    .filter(([field]) => !field.endsWith('Comments'))
    .flatMap(([, value]): unknown[] => (Array.isArray(value) ? value : [value]))
    .filter(isNode)
    .sort((a, b) => a.start - b.start);
}

/** The first node, outermost and in the order of the text, for which `isWanted` holds. */
export function findNode(node: SyntaxNode, isWanted: (node: SyntaxNode) => boolean): SyntaxNode | undefined {
  if (isWanted(node)) return node;
  for (const child of childrenOf(node)) {
    const found = findNode(child, isWanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value &&
    typeof value.start === 'number'
  );
}
