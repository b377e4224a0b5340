/** What the plugin and the middleware have in common: one request in, what to do with it out (RFC 6750). */
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, json } from '../answers.js';
import { credentialIn } from '../credentials.js';
import type { TokenCheck } from './checks.js';
import type { TokenRules, VerifiedToken } from './options.js';
import type { PersonalTokens } from './personal-tokens.js';

export type Outcome =
  | { readonly kind: 'pass'; readonly token: VerifiedToken | null }
  | { readonly kind: 'answer'; readonly answer: Answer };

/** Judges a request of the app by the token in its `Authorization` header. Its use is not noted yet. */
export async function judgeRequest(
  tokens: PersonalTokens,
  headers: IncomingHttpHeaders,
  { scopes = [], optional = false }: TokenRules,
): Promise<Outcome> {
  const bearer = credentialIn(headers, { bearer: true })?.value;
  if (optional && (bearer === undefined || !tokens.claims(bearer))) return { kind: 'pass', token: null };
  if (bearer === undefined) return { kind: 'answer', answer: unauthorized('no_token') };
  const check = await tokens.check(bearer, { scopes, counts: false });
  if (check.kind === 'live') return { kind: 'pass', token: check.token };
  return { kind: 'answer', answer: refusalOf(check, scopes) };
}

/**
 * Whether an answer says that the app accepted the token. A refused use never counts, whoever refuses it: a token that is tried where
 * it may not go must not stay alive by that.
 */
export function isAccepted(status: number): boolean {
  // guard: tokens: a use that the app forbids does not count
  return status !== 401 && status !== 403;
}

function refusalOf(check: Exclude<TokenCheck, { kind: 'live' }>, scopes: readonly string[]): Answer {
  switch (check.kind) {
    // One answer for all: whoever tries tokens learns nothing from it.
    case 'refused':
      return unauthorized('invalid_token');
    case 'insufficient-scope': {
      const parameters = `error="insufficient_scope", scope="${scopes.join(' ')}"`;
      return json(
        403,
        { error: 'insufficient_scope', scope: scopes.join(' ') },
        { 'www-authenticate': `Bearer realm="app", ${parameters}` },
      );
    }
    case 'unavailable':
      return json(503, { error: 'unavailable' }, { 'retry-after': '5' });
  }
}

/** RFC 6750, section 3.1: a request without a token gets no error code in the header. */
function unauthorized(error: 'no_token' | 'invalid_token'): Answer {
  const parameters = error === 'no_token' ? '' : ', error="invalid_token"';
  return json(401, { error }, { 'www-authenticate': `Bearer realm="app"${parameters}` });
}
