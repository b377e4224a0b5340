/** The way to the sign-in, and back to where one was. */

/** @param signInUrl where people sign in. @returns its address with the reason, and with the page's own path as `return_to` */
export function signInTarget(signInUrl: string | undefined, reason: string): string | undefined {
  if (signInUrl === undefined) return undefined;
  const url = new URL(signInUrl, location.href);
  const { pathname, search, hash } = location;
  url.searchParams.set('reason', reason);
  // Two slashes at the front would name another host.
  url.searchParams.set('return_to', pathname.replace(/^\/+/, '/') + search + hash);
  return url.href;
}

/**
 * Where a page that signs people in leads them afterwards, by its own `return_to`.
 * @returns a path of this origin; `fallback` where none is asked for, or one of another origin
 */
export function returnTarget(fallback = '/'): string {
  const asked = new URLSearchParams(location.search).get('return_to');
  // As a browser reads it: a backslash counts as a slash there, and tabs and line ends are passed over.
  const url = asked?.startsWith('/') && URL.canParse(asked, location.href) && new URL(asked, location.href);
  // guard: access tokens: the way back leads to no other origin
  return url && url.origin === location.origin
    ? url.pathname.replace(/^\/+/, '/') + url.search + url.hash
    : fallback;
}
