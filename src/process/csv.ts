/** CSV by RFC 4180, harmless when opened in a spreadsheet. Pure. */

/**
 * A cell with this beginning is a formula to spreadsheets (OWASP, CSV Injection), also after
 * spaces or as a full-width sign.
 */
const formula = /^[\s\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/;

/** @returns one line with its end; numbers stay numbers, texts that look like formulas get an apostrophe */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
