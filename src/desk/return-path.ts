/** Where a sign-in leads back to: a page of the desk, and nowhere else. Pure. */

export const home = '/desk';

/** `/desk`, and below it path segments and a query of plain characters. Neither `//` nor `\` nor a dot segment, which browsers resolve. */
const ownPath = /^\/desk(\/[A-Za-z0-9_@:~-]+)*(\?[A-Za-z0-9_.:~=&%@-]*)?$/;
const longest = 300;

/** @returns the path where it is one of the desk's own, otherwise the first page */
export function returnPath(text: unknown): string {
  // guard: desk: a sign-in leads to the desk alone
  if (typeof text !== 'string' || text.length > longest || !ownPath.test(text)) return home;
  return /^\/desk\/(sign|signed)-/.test(text) ? home : text;
}
