/** What is read of an access token whose signature holds (RFC 7519, RFC 9068). Pure. */
import { z } from 'zod';
import { given } from '../given.js';

/** A token in which something is missing or has another form than the standard says. */
export interface MalformedClaims {
  readonly problem: 'exp' | 'iat' | 'nbf' | 'auth_time' | 'sub' | 'iss' | 'aud' | 'claims';
}

/** Times in epoch milliseconds. */
export interface AccessClaims {
  readonly subject: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly expiresAt: number;
  readonly notBefore?: number;
  /** `iat`, or `issued_at` where there is none. Absent: the token does not say. */
  readonly issuedAt?: number;
  /** When the person signed in. */
  readonly authenticatedAt?: number;
  /** `sid`: the session at the authorization server, which outlives the token. */
  readonly sessionId?: string;
  /** `jti`. */
  readonly tokenId?: string;
  readonly clientId?: string;
  readonly roles: readonly string[];
}

/** The last second that a `Date` can hold: what is beyond is no time. */
const lastSecond = 8_640_000_000_000;
/** NumericDate (RFC 7519, section 2): JSON numbers only. `1e400` would be read as infinity. */
const numericDate = z.number().min(0).max(lastSecond);
const word = z.string().min(1).max(255);
const words = z.union([word.transform((one) => [one]), z.array(word).max(100)]);

const claims = z.object({
  exp: numericDate,
  iat: numericDate.optional(),
  issued_at: numericDate.optional(),
  nbf: numericDate.optional(),
  auth_time: numericDate.optional(),
  sub: word,
  iss: word,
  aud: words,
  sid: word.optional(),
  jti: word.optional(),
  client_id: word.optional(),
});

/** Roles only tighten: of claims that hold something else, none are taken. */
const roleClaims = z.object({ roles: words.catch([]).default([]), role: words.catch([]).default([]) });

/** Where Hydra puts what its token hook adds, unless it is told otherwise. */
const extension = z.object({ ext: z.record(z.string(), z.unknown()).catch({}).default({}) });

const named: readonly string[] = ['exp', 'iat', 'nbf', 'auth_time', 'sub', 'iss', 'aud'];

/** @param payload parsed JSON, without members that are there twice */
export function readClaims(payload: unknown): AccessClaims | MalformedClaims {
  const { ext } = extension.catch({ ext: {} }).parse(payload);
  const whole = { ...pick(ext), ...(payload as object) };
  const read = claims.safeParse(whole);
  if (!read.success) {
    const member = String(read.error.issues[0]?.path[0] ?? 'claims').replace('issued_at', 'iat');
    return { problem: named.includes(member) ? (member as MalformedClaims['problem']) : 'claims' };
  }
  const {
    exp,
    iat,
    issued_at: issuedAt,
    nbf,
    auth_time: authTime,
    sid,
    jti,
    client_id: clientId,
  } = read.data;
  const ofRoles = roleClaims.parse(whole);
  return {
    subject: read.data.sub,
    issuer: read.data.iss,
    audiences: read.data.aud,
    expiresAt: Math.floor(exp * 1_000),
    roles: [...ofRoles.roles, ...ofRoles.role],
    ...given({
      notBefore: milliseconds(nbf),
      issuedAt: milliseconds(iat ?? issuedAt),
      authenticatedAt: milliseconds(authTime),
      sessionId: sid,
      tokenId: jti,
      clientId,
    }),
  };
}

/** What may stand in the extension: claims of the standard stand at the top. */
function pick({ sid, auth_time: authTime, roles, role }: Readonly<Record<string, unknown>>): object {
  return given({ sid, auth_time: authTime, roles, role });
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.floor(seconds * 1_000);
}
