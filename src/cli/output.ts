/** What commands print: tables for people, JSON for programs. */

/**
 * Control characters but the tab, and those that turn the direction of writing. An answer that holds them could move the cursor of a terminal, or show
 * another text than the one that is there (CWE-150).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of another system, for a terminal: what can't be printed is shown as �. */
export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd');
}

/** Prints one line. */
export function say(line: string): void {
  console.log(printable(line));
}

/** Those of them that JSON lets stand in a text; line ends are its own. */
const leftByJson = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Prints a value as JSON: over several lines for a single answer, on one line for one of many. */
export function sayJson(value: unknown, how: 'whole' | 'line' = 'whole'): void {
  const text = how === 'whole' ? JSON.stringify(value, undefined, 2) : JSON.stringify(value);
  // The same value for a program, and nothing that moves the cursor for a person.
  console.log(text.replace(leftByJson, escaped));
}

export interface Column<Row> {
  readonly title: string;
  /** Its text; `undefined` leaves it empty. */
  readonly of: (row: Row) => string | undefined;
}

/** @returns the lines of a table, its titles first; none where there are no rows */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const cells = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map((row) => columns.map(({ of }) => printable(of(row) ?? '-'))),
  ];
  const widths = columns.map((_column, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints rows as a table, or each as a line of JSON. @param none what is said where there are no rows */
export function sayRows<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { json, none }: { readonly json: boolean; readonly none: string },
): void {
  if (json) for (const row of rows) sayJson(row, 'line');
  else if (rows.length === 0) console.error(none);
  else for (const line of table(columns, rows)) console.log(line);
}
