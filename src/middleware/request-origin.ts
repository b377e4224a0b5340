/**
 * Whether a request that changes something comes from the app's own pages: a header that no form can set, and an origin of the app's
 * (OWASP Cross-Site Request Forgery Prevention: custom request headers, and verification of the origin). Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';

export const requestHeader = 'x-dormouse-request';

/** @param origins absent: the origin that `Host` names, by either scheme */
export function isOwnRequest(headers: IncomingHttpHeaders, origins?: readonly string[]): boolean {
  // A browser sends cookies by itself, and never this header of native apps, which Kratos prefers to a cookie.
  if (typeof headers['x-session-token'] === 'string' && headers['x-session-token'] !== '') return true;
  // guard: sessions: a change needs the header of the app’s own pages
  return headers[requestHeader] === '1' && isSameOrigin(headers, origins);
}

/** Of a form, which can't set a header: its origin alone. @param origins absent: the origin that `Host` names, by either scheme */
export function isSameOrigin(headers: IncomingHttpHeaders, origins?: readonly string[]): boolean {
  const { origin } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] === 'same-origin';
  if (origins !== undefined) return origins.includes(origin);
  const { host } = headers;
  return host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
}

/** Requests that no person makes: marked by the page, fetched ahead, or a socket that connects again by itself. */
export function isBackground(headers: IncomingHttpHeaders): boolean {
  // guard: sessions: requests in the background renew nothing
  return (
    headers['x-dormouse-background'] === '1' ||
    namesPrefetch(headers['sec-purpose']) ||
    namesPrefetch(headers.purpose) ||
    namesPrefetch(headers['x-moz']) ||
    headers.upgrade !== undefined ||
    headers.accept === 'text/event-stream'
  );
}

function namesPrefetch(purpose: string | string[] | undefined): boolean {
  return purpose?.includes('prefetch') === true;
}
