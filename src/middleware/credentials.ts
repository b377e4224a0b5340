/** Takes the credential from a request's headers. Nothing here trusts it. Node only. */
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { SessionProof } from '../ory/whoami.js';

export type Credential =
  | { readonly type: 'session-cookie'; readonly value: string }
  | { readonly type: 'session-token'; readonly value: string }
  | { readonly type: 'bearer'; readonly value: string };

export interface AcceptedCredentials {
  /** Absent: sessions are not looked for. */
  readonly cookiePrefix?: string;
  readonly bearer: boolean;
}

/** Longer ones are not genuine: real sessions and tokens stay well below. */
const maxLength = 8_192;
const bearerPattern = /^bearer +([A-Za-z0-9._~+/=-]+) *$/i;

/** @returns the first of bearer token, session token and session cookie that the app uses */
export function credentialIn(
  headers: IncomingHttpHeaders,
  accepted: AcceptedCredentials,
): Credential | undefined {
  const bearer = accepted.bearer ? bearerPattern.exec(headers.authorization ?? '')?.[1] : undefined;
  if (bearer !== undefined) return bounded({ type: 'bearer', value: bearer });
  if (accepted.cookiePrefix === undefined) return undefined;
  const token = headers['x-session-token'];
  if (typeof token === 'string' && token !== '') return bounded({ type: 'session-token', value: token });
  const cookies = sessionCookies(headers.cookie ?? '', accepted.cookiePrefix);
  return cookies === '' ? undefined : bounded({ type: 'session-cookie', value: cookies });
}

/** The same as Kratos takes it. */
export function proofOf(credential: Extract<Credential, { type: `session-${string}` }>): SessionProof {
  return credential.type === 'session-token'
    ? { xSessionToken: credential.value }
    : { cookie: credential.value };
}

/** The cache key of a verdict: it reveals nothing about the credential. */
export function keyOf(credential: Credential): string {
  return hash('sha256', `${credential.type}\0${credential.value}`, 'base64url');
}

/** The app's other cookies are not sent to Kratos. */
function sessionCookies(header: string, prefix: string): string {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix) && pair.includes('='))
    .join('; ');
}

function bounded(credential: Credential): Credential | undefined {
  return credential.value.length <= maxLength ? credential : undefined;
}
