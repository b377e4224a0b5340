/** Takes a guard out of the text of a file. Pure. */
import type { TakenOut } from './guard.js';
import { codeBehind, type Marked } from './marked.js';
import type { Mark } from './marks.js';
import { findNode, isNode, parseTypeScript, type SyntaxNode } from './syntax.js';

/**
 * @returns the whole text without the guard
 * @throws Error when the marked code has no such part, value or condition; SyntaxError when what is left is no TypeScript
 */
export function takeOut(mark: Mark, text: string, how: TakenOut): string {
  const { file } = mark;
  const marked = codeBehind(mark, text);
  const { start, end, by } = changeOf(file, text, marked, how);
  const changed = `${text.slice(0, start)}${by}${text.slice(end)}`;
  if (changed === text) throw new Error(`${file}: a guard that is taken out changes nothing`);
  if (marked.node !== undefined) parseTypeScript(changed);
  return changed;
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

function changeOf(file: string, text: string, marked: Marked, how: TakenOut): Change {
  if (how === 'left out') return leftOut(text, marked);
  if ('part' in how) return { ...placeOf(file, text, marked, how.part), by: how.becomes };
  const { node } = marked;
  if (node === undefined) throw new Error(`${file}: in SQL a guard is left out, or a part of it replaced`);
  const found = 'condition' in how ? conditionIn(node) : valueIn(node);
  if (found === undefined) throw new Error(`${file}: a marked ${node.type} has no value or condition`);
  return { start: found.start, end: found.end, by: 'condition' in how ? String(how.condition) : how.value };
}

/** An element or a property goes with its comma; a statement leaves an empty one, because it may be all that an `if` does. */
function leftOut(text: string, { start, end, node }: Marked): Change {
  const comma = /\s*,/y;
  comma.lastIndex = end;
  const isStatement = node !== undefined && /(Statement|Declaration)$/.test(node.type);
  return isStatement
    ? { start, end, by: ';' }
    : { start, end: end + (node === undefined ? 0 : (comma.exec(text)?.[0].length ?? 0)), by: '' };
}

function conditionIn(node: SyntaxNode): SyntaxNode | undefined {
  const conditional = findNode(node, ({ test }) => isNode(test));
  return isNode(conditional?.test) ? conditional.test : undefined;
}

/** Where the values of statements and members stand. An arrow function's own value is the expression that it returns. */
const valueFields = ['argument', 'init', 'right', 'value', 'body', 'expression', 'declaration'] as const;

function valueIn(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type === 'VariableDeclaration') {
    const [declarator] = Array.isArray(node.declarations) ? node.declarations : [];
    return isNode(declarator) ? valueIn(declarator) : undefined;
  }
  const value = valueFields.map((field) => node[field]).find(isNode);
  if (value === undefined || value.type === 'BlockStatement') return undefined;
  const isInside =
    ['AssignmentExpression', 'VariableDeclaration'].includes(value.type) ||
    (value.type === 'ArrowFunctionExpression' && isNode(value.body) && value.body.type !== 'BlockStatement');
  return isInside ? valueIn(value) : value;
}

/** @throws Error when the part is not there exactly once */
function placeOf(file: string, text: string, marked: Marked, part: string): { start: number; end: number } {
  const whole = squeezed(text.slice(marked.start, marked.end));
  const wanted = squeezed(part).text;
  const at = whole.text.indexOf(wanted);
  if (wanted === '' || at < 0 || whole.text.includes(wanted, at + 1)) {
    throw new Error(`${file}: a marked statement has the part "${part}" ${at < 0 ? 'not at all' : 'twice'}`);
  }
  const place = (index: number) => marked.start + (whole.offsets[index] ?? 0);
  return { start: place(at), end: place(at + wanted.length - 1) + 1 };
}

/** Text without white space and without commas before a closing bracket, both of which formatters move. */
function squeezed(text: string): { readonly text: string; readonly offsets: readonly number[] } {
  const kept = [...text.matchAll(/,(?!\s*[)\]}])|[^\s,]/gu)];
  // By UTF-16 units, as indexes of strings are.
  const units = kept.flatMap(({ 0: character, index }) =>
    Array.from({ length: character.length }, (_, unit) => index + unit),
  );
  return { text: kept.map(([character]) => character).join(''), offsets: units };
}
