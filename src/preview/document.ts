/** The frame of pages that hold everything: they load nothing, and are read without a script. Pure. */
import { escaped } from './html.js';
import { style } from './page-assets.js';

export interface Document {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** JavaScript, where the page has any. */
  readonly script?: string;
  /** CSS besides the common one. */
  readonly moreStyle?: string;
}

export function wholePage({ title, body, script, moreStyle = '' }: Document): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; ${script === undefined ? '' : "script-src 'unsafe-inline'; "}img-src data:`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}${moreStyle}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>${script === undefined ? '' : `\n<script>${script}</script>`}
</body>
</html>
`;
}

/** A wide table scrolls by itself, by keyboard as well. @param table HTML */
export function scrolling(name: string, table: string): string {
  return `<div class="scroll" role="region" aria-label="${escaped(name)}" tabindex="0">${table}</div>`;
}

/** A list of sentences. */
export function listOf(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
}

/** @param rows each begins with its head. Texts and numbers, not HTML */
export function plainTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const heads = head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const lines = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell) => `<td>${escaped(String(cell))}</td>`).join('');
    return `<tr><th scope="row">${escaped(String(first))}</th>${cells}</tr>`;
  });
  return `<table><thead><tr>${heads}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}
