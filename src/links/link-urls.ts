/** The URLs of the pages that mails link to: the worker writes them, the gateway serves them. Pure. */

export const pagePaths = {
  keep: '/account/keep',
  reactivate: '/account/reactivate',
  unsubscribe: '/account/unsubscribe',
  sessions: '/account/sessions',
  tokens: '/account/tokens',
  refreshTokens: '/account/access',
  activity: '/account/activity',
} as const;

/** @param base DORMOUSE_LINK_BASE_URL, without a trailing slash */
export function keepUrl(base: string, token: string): string {
  return `${base}${pagePaths.keep}/${token}`;
}

/** The page on which a reactivation link can be requested. The URL holds nothing secret. */
export function requestPageUrl(base: string): string {
  return `${base}${pagePaths.reactivate}`;
}

export function reactivateUrl(base: string, token: string): string {
  return `${base}${pagePaths.reactivate}/${token}`;
}

/** The URL that mail programs call for one-click unsubscribe (RFC 8058), and a page for people. */
export function unsubscribeUrl(base: string, token: string): string {
  return `${base}${pagePaths.unsubscribe}/${token}`;
}

/** The page with a person's own sessions. The URL holds nothing secret. */
export function sessionsPageUrl(base: string): string {
  return `${base}${pagePaths.sessions}`;
}

/** The page with a person's own access tokens. The URL holds nothing secret. */
export function tokensPageUrl(base: string): string {
  return `${base}${pagePaths.tokens}`;
}

/** The page with the apps and devices that stay signed in for a person. The URL holds nothing secret. */
export function refreshTokensPageUrl(base: string): string {
  return `${base}${pagePaths.refreshTokens}`;
}
