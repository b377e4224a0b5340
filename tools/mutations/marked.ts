/** The code that a mark marks: what begins on the next line that is no comment. Pure. */
import type { Mark } from './marks.js';
import { findNode, parseTypeScript, type SyntaxNode } from './syntax.js';

export interface Marked {
  readonly start: number;
  readonly end: number;
  /** Absent in SQL, where the code goes to the next semicolon. */
  readonly node?: SyntaxNode;
}

/** White space and comments: other marks, too, may stand between a mark and its code. */
const between = { ts: /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y, sql: /(?:\s+|--[^\n]*)*/y } as const;

/** @throws Error when nothing begins behind the mark */
export function codeBehind({ file, end: markEnd }: Mark, text: string): Marked {
  const isSql = file.endsWith('.sql');
  const gap = between[isSql ? 'sql' : 'ts'];
  gap.lastIndex = markEnd;
  const start = markEnd + (gap.exec(text)?.[0].length ?? 0);
  if (isSql) {
    const semicolon = text.indexOf(';', start);
    if (semicolon < 0) throw new Error(`${file}: no statement of SQL ends behind a mark`);
    return { start, end: semicolon + 1 };
  }
  const node = findNode(parseTypeScript(text), (candidate) => candidate.start === start);
  if (node === undefined) throw new Error(`${file}: no statement, member or element begins below a mark`);
  return { start, end: node.end, node };
}
