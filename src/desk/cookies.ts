/** The desk's two cookies: the session, and what a browser keeps on its way to the issuer and back. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { SignInUnderWay } from '../principals/sign-in.js';
import { returnPath } from './return-path.js';

/** How long somebody may take at the issuer, seconds. */
const signInSeconds = 600;
const longestCookie = 4_096;

export interface Cookies {
  session(headers: IncomingHttpHeaders): string | undefined;
  /** For the header `set-cookie`. It ends with the browser; the server ends it sooner. */
  setSession(secret: string): string;
  clearSession(): string;
  signIn(headers: IncomingHttpHeaders): (SignInUnderWay & { readonly to: string }) | undefined;
  setSignIn(underWay: SignInUnderWay & { readonly to: string }): string;
  clearSignIn(): string;
}

const underWay = z.object({
  ...{ alias: z.string(), state: z.string(), nonce: z.string(), verifier: z.string() },
  // By plain http another port of the host can set the cookie.
  to: z.string().transform(returnPath),
});

/**
 * By https their names begin with `__Host-`: then no other host, and no page of a subdomain, can set them (RFC 6265bis, section 4.1.3.2).
 * `Lax`, because links to the desk stand in the Temporal UI and in chats; what changes something is protected by origin and token.
 * @param isSecure whether the desk is reached by https
 */
export function cookiesOf(isSecure: boolean): Cookies {
  const prefix = isSecure ? '__Host-' : '';
  const [session, signIn] = [`${prefix}dormouse-desk`, `${prefix}dormouse-desk-sign-in`];
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  const clear = (name: string) => `${name}=${attributes}; Max-Age=0`;
  return {
    session: (headers) => read(headers, session),
    setSession: (secret) => `${session}=${secret}${attributes}`,
    clearSession: () => clear(session),
    signIn(headers) {
      const text = read(headers, signIn);
      return text === undefined ? undefined : parsed(text);
    },
    setSignIn: (value) =>
      `${signIn}=${Buffer.from(JSON.stringify(value)).toString('base64url')}${attributes}; Max-Age=${signInSeconds}`,
    clearSignIn: () => clear(signIn),
  };
}

function read({ cookie = '' }: IncomingHttpHeaders, name: string): string | undefined {
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  // Two of one name: somebody else set one of them, and nobody can tell which.
  // guard: desk: two cookies of the session's name are none
  if (values.length !== 1 || value === undefined || value === '' || value.length > longestCookie)
    return undefined;
  return value;
}

function parsed(text: string) {
  try {
    const found = underWay.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return found.success ? found.data : undefined;
  } catch {
    return undefined;
  }
}
