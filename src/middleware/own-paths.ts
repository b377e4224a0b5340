/** The routes that a plugin serves beside the app's own. Pure. */

export interface OwnRoute {
  /** Below the prefix, without slashes around it. */
  readonly route: string;
  readonly query: URLSearchParams;
}

/** @returns `undefined`: the request is the app's */
export function ownRoute(prefix: string, url: string): OwnRoute | undefined {
  // Of nearly all requests this is all that is looked at.
  if (!url.startsWith(`${prefix}/`)) return undefined;
  const [path = '', query = ''] = url.split('?', 2);
  return { route: path.slice(prefix.length + 1).replace(/\/+$/, ''), query: new URLSearchParams(query) };
}

/** @throws TypeError */
export function checkedPrefix(prefix = '/session'): string {
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) return prefix;
  throw new TypeError(
    'prefix: is not a path. Write it from the root and without a slash at its end, as /session',
  );
}
