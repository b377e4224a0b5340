/**
 * Operators' access tokens of OIDC issuers, as JWTs: who they are for, who may ask for them, and which roles they give. Verified here
 * with the issuer's keys; the verifier chooses algorithms, issuer and audience (RFC 8725).
 */
import { createHash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { opaqueNamePattern } from '../domain/names.js';
import { type Role, scopesOf } from '../domain/principals/roles.js';
import type { Identified, TokenVerifier } from './authenticator.js';
import { IssuerKeys, IssuerUnavailableError } from './issuer-keys.js';
import type { OperatorsIssuer } from './operators-file.js';

/** Asymmetric only: with an HMAC anybody who reads the public key could sign. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** Errors of the key set rather than of the token. */
const keySetErrors: readonly string[] = [
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
  errors.JOSEError.code,
];
const longestToken = 8_192;
/** A token can't be revoked before its end, so one that lives longer is refused. */
const longestLifeSeconds = 86_400;
const clockToleranceSeconds = 30;
/** Claims that ID tokens have (OpenID Connect Core 1.0, sections 2 and 3.1.3.6). Those are for clients, and open nothing. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash'];
/** RFC 9068, section 2.1; many issuers write JWT, or nothing. */
const types: readonly unknown[] = [undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'];

interface Known extends OperatorsIssuer {
  readonly keys: IssuerKeys;
}

export class OperatorTokens implements TokenVerifier {
  private readonly issuers: ReadonlyMap<string, Known>;

  /** @param onError told where an issuer's keys can't be had */
  constructor(
    /** Where operators sign in. */
    readonly known: readonly OperatorsIssuer[],
    private readonly onError: (error: unknown) => void,
  ) {
    this.issuers = new Map(
      known.map((issuer) => [issuer.issuer, { ...issuer, keys: new IssuerKeys(issuer.issuer) }]),
    );
  }

  claims(token: string): boolean {
    return this.issuerOf(token) !== undefined;
  }

  async verify(token: string): Promise<Identified> {
    const issuer = this.issuerOf(token);
    if (issuer === undefined) return { kind: 'refused', cause: 'unknown' };
    try {
      // guard: principals: a token is for this audience
      const { payload, protectedHeader } = await jwtVerify(token, await issuer.keys.find(), {
        ...{ issuer: issuer.issuer, audience: issuer.audience, algorithms },
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: clockToleranceSeconds,
      });
      if (!types.includes(protectedHeader.typ) || !isAccessToken(payload, issuer))
        return { kind: 'refused', cause: 'token' };
      const actor = oidcActor(issuer.alias, payload.sub ?? '');
      const principal = { actor, owner: actor, scopes: scopesOf(rolesOf(payload, issuer)) };
      return { kind: 'known', principal, caller: actor };
    } catch (error) {
      if (error instanceof errors.JOSEError && !keySetErrors.includes(error.code))
        return { kind: 'refused', cause: 'token' };
      this.onError(
        error instanceof IssuerUnavailableError
          ? error
          : new IssuerUnavailableError('its keys can not be had'),
      );
      return { kind: 'refused', cause: 'unavailable' };
    }
  }

  /** By what the token says of itself: whether that is true, its signature shows. */
  private issuerOf(token: string): Known | undefined {
    if (token.length > longestToken || token.split('.').length !== 3) return undefined;
    try {
      return this.issuers.get(decodeJwt(token).iss ?? '');
    } catch {
      return undefined;
    }
  }
}

/**
 * The actor of somebody who signed in: the subject, or its hash where it could hold an address or is too long for the audit log.
 * @param alias of the issuer
 */
export function oidcActor(alias: string, subject: string): string {
  const plain = `oidc:${alias}:${subject}`;
  const isPlain = opaqueNamePattern.test(plain) && !subject.startsWith('sha256-');
  if (isPlain) return plain;
  return `oidc:${alias}:sha256-${createHash('sha256').update(subject).digest('hex').slice(0, 32)}`;
}

function isAccessToken(payload: JWTPayload, { clients }: OperatorsIssuer): boolean {
  // guard: principals: an ID token opens nothing
  if (idTokenClaims.some((claim) => claim in payload)) return false;
  const { sub = '', exp = 0, iat = 0, azp, client_id: clientId } = payload;
  if (sub === '' || iat > Date.now() / 1_000 + clockToleranceSeconds || exp - iat > longestLifeSeconds)
    return false;
  const named = [azp, clientId].filter((client) => client !== undefined);
  // guard: principals: a token of another client opens nothing
  return named.length > 0 && named.every((client) => typeof client === 'string' && clients.includes(client));
}

function rolesOf(payload: JWTPayload, { rolesClaim, roles }: OperatorsIssuer): Role[] {
  return valuesAt(payload, rolesClaim.split('.')).flatMap((value) => roles.get(value) ?? []);
}

/** A list, or one text with blanks between the values. */
function valuesAt(payload: unknown, path: readonly string[]): string[] {
  const found = path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? Reflect.get(value, key)
        : undefined,
    payload,
  );
  if (typeof found === 'string') return found.split(' ');
  return Array.isArray(found) ? found.filter((value) => typeof value === 'string') : [];
}
