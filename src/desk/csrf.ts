/**
 * Whether a form was sent by a page of the desk: its origin, and a token that only the session's own pages have (OWASP Cross-Site Request
 * Forgery Prevention: synchroniser token, and verification of the origin). Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isSameOrigin } from '../middleware/request-origin.js';

/** @param secret of the session. @returns what its forms carry; the secret can't be told from it */
export function formTokenOf(secret: string): string {
  return createHash('sha256').update(`dormouse-desk/form/${secret}`).digest('base64url');
}

/** @param body the form as it was sent. @param origin of the desk */
export function isOwnForm(
  headers: IncomingHttpHeaders,
  body: unknown,
  { origin, secret }: { readonly origin: string; readonly secret: string | undefined },
): boolean {
  // guard: desk: a form comes from the own origin
  if (secret === undefined || !isSameOrigin(headers, [origin])) return false;
  const sent = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  if (typeof sent !== 'string') return false;
  const [one, other] = [Buffer.from(sent), Buffer.from(formTokenOf(secret))];
  // guard: desk: a form carries the token of its session
  return one.length === other.length && timingSafeEqual(one, other);
}
