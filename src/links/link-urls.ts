/** The addresses of the pages that mails link to, on both sides: the worker writes them, the gateway serves them. Pure. */

export const pagePaths = {
  keep: '/account/keep',
  reactivate: '/account/reactivate',
  unsubscribe: '/account/unsubscribe',
} as const;

/** @param base DORMOUSE_LINK_BASE_URL, without a slash at its end */
export function keepUrl(base: string, token: string): string {
  return `${base}${pagePaths.keep}/${token}`;
}

/** The page on which a reactivation link can be asked for; holds nothing secret. */
export function requestPageUrl(base: string): string {
  return `${base}${pagePaths.reactivate}`;
}

export function reactivateUrl(base: string, token: string): string {
  return `${base}${pagePaths.reactivate}/${token}`;
}

/** What mail programs call for one click on "unsubscribe" (RFC 8058), and a page for people. */
export function unsubscribeUrl(base: string, token: string): string {
  return `${base}${pagePaths.unsubscribe}/${token}`;
}
