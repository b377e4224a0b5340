/** Writes measured sections into docs/reliability.md, between markers, so that no figure there is typed by hand. Node only. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectDirectory } from '../../dev/stack/project.js';

const document = join(projectDirectory, 'docs', 'reliability.md');

/** @throws Error when the document has no such section */
export async function writeSection(name: string, body: string): Promise<void> {
  const text = await readFile(document, 'utf8');
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(
      `docs/reliability.md: there is no section "${name}". Put ${begin} and ${end} where it belongs`,
    );
  }
  await writeFile(document, `${text.slice(0, from + begin.length)}\n\n${body.trim()}\n\n${text.slice(to)}`);
}

/** Where the figures of a section are kept as JSON. */
export function figuresFile(name: string): string {
  return join(projectDirectory, 'docs', 'reliability', `${name}.json`);
}

export async function writeFigures(name: string, figures: unknown): Promise<void> {
  const file = figuresFile(name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, undefined, 2)}\n`);
}

/** @returns `undefined` where none were written yet */
export async function readFigures(name: string): Promise<unknown> {
  const text = await readFile(figuresFile(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

/** A Markdown table. Bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
