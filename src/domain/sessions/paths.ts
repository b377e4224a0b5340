/** Which of a policy's routes a path lies below. Pure. */

/** A path from the root, without wildcards, query or fragment. */
export const routePattern = /^\/[^\s*?#\\\p{Cc}]{0,255}$/u;

/**
 * @param path as the request has it, with or without a query
 * @returns the routes that the path lies below, the longest first. `/billing` is above `/billing` and `/billing/x`,
 * not `/billings`. Spellings that a router may take for the same path count as it: letter case, doubled
 * slashes, dot segments, percent-encoding.
 */
export function routesAbove<Value>(routes: Readonly<Record<string, Value>>, path: string): [string, Value][] {
  const entries = Object.entries(routes);
  if (entries.length === 0) return [];
  const asked = spellings(path);
  return entries.filter(([route]) => isAbove(route, asked)).sort(([a], [b]) => b.length - a.length);
}

/** Whether a path lies below one of the routes. */
export function isBelowAny(routes: readonly string[], path: string): boolean {
  if (routes.length === 0) return false;
  const asked = spellings(path);
  return routes.some((route) => isAbove(route, asked));
}

function isAbove(route: string, asked: readonly string[]): boolean {
  const above = normal(route);
  return asked.some((one) => above === '/' || one === above || one.startsWith(`${above}/`));
}

/** A path with `..` behind a percent-encoding is one path to a router and another to an app behind it: both count. */
function spellings(path: string): string[] {
  const raw = path.split(/[?#]/, 1)[0] ?? '/';
  return [...new Set([normal(raw), normal(decoded(raw))])];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function normal(path: string): string {
  const segments: string[] = [];
  for (const segment of path.toLowerCase().split(/[/\\]+/)) {
    // Matrix parameters (`/billing;v=1`) belong to no route.
    const own = segment.split(';', 1)[0] ?? '';
    if (own === '..') segments.pop();
    else if (own !== '' && own !== '.') segments.push(own);
  }
  return `/${segments.join('/')}`;
}
