/**
 * Verifies an access token as far as it does not depend on the time: form, signature, type, issuer, audience, subject (RFC 8725). What was
 * verified is kept for a while, keyed by a hash.
 */
import { hash } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import { type AccessClaims, readClaims } from '../../domain/tokens/access-claims.js';
import { parseStrictJson } from '../../http/strict-json.js';
import { useKeyOf } from '../../tokens/access/use-key.js';
import { UnjudgedError } from '../unjudged.js';
import { trustedKeys } from './keys.js';
import type { Forgery, InactiveTokensOptions } from './options.js';

/** A token that is genuine, and for this API. */
export interface VerifiedToken {
  readonly identityId: string;
  readonly claims: AccessClaims;
  /** Of the row of its use. */
  readonly useKey: string;
  /** On the monotonic clock, milliseconds. */
  readonly verifiedAt: number;
}

export type Verification = VerifiedToken | { readonly forgery: Forgery };

const longestToken = 8_192;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const form = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export class TokenVerifier {
  private readonly verified: LRUCache<string, VerifiedToken>;
  private readonly keys;
  private readonly issuers: readonly string[];
  private readonly audiences: readonly string[];
  private readonly types: readonly string[];
  private readonly verifyMs: number;

  /** @throws ConfigError where keys and algorithms don't go together */
  constructor(private readonly options: InactiveTokensOptions) {
    const {
      issuer,
      audience,
      types = ['at+jwt', 'JWT'],
      verifyMs = 300_000,
      cacheEntries = 100_000,
    } = options;
    this.keys = trustedKeys(options);
    this.issuers = [issuer].flat();
    this.audiences = [audience].flat();
    this.types = types.map(typeName);
    this.verifyMs = verifyMs;
    this.verified = new LRUCache({ max: cacheEntries });
  }

  /** @returns what was verified a short while ago; `undefined`: it has to be verified */
  known(token: string): VerifiedToken | undefined {
    const known = this.verified.get(hash('sha256', token));
    return known !== undefined && performance.now() - known.verifiedAt < this.verifyMs ? known : undefined;
  }

  /** @throws UnjudgedError where the key set can't be had */
  async verify(token: string): Promise<Verification> {
    const known = this.known(token);
    if (known !== undefined) return known;
    const verifiedAt = performance.now();
    const parts = await this.partsOf(token);
    if ('forgery' in parts) return parts;
    const claims = readClaims(parts.payload);
    if ('problem' in claims) return { forgery: 'claims' };
    if (!this.issuers.includes(claims.issuer)) return { forgery: 'issuer' };
    if (!claims.audiences.some((one) => this.audiences.includes(one))) return { forgery: 'audience' };
    const identityId = this.identityOf(claims);
    if (identityId === undefined) return { forgery: 'subject' };
    const verified = { identityId, claims, useKey: useKeyOf(claims, token), verifiedAt };
    this.verified.set(hash('sha256', token), verified);
    return verified;
  }

  /** Header and payload of a token whose signature holds. */
  private async partsOf(token: string): Promise<{ payload: unknown } | { forgery: Forgery }> {
    if (token.length > longestToken || !form.test(token)) return { forgery: 'malformed' };
    const header = strictlyParsed(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url'));
    if (header === undefined) return { forgery: 'malformed' };
    // Nobody says what an extension means (RFC 7515, section 4.1.11).
    if ('crit' in header || 'b64' in header) return { forgery: 'malformed' };
    if (!this.types.includes(typeName(header.typ))) return { forgery: 'type' };
    const { algorithms, keyOf } = this.keys;
    try {
      // guard: access tokens: no algorithm is taken but those of the list
      const { payload } = await compactVerify(token, keyOf, { algorithms });
      // guard: access tokens: a member that is there twice is no claim
      const parsed = strictlyParsed(payload);
      return parsed === undefined ? { forgery: 'claims' } : { payload: parsed };
    } catch (error) {
      return { forgery: forgeryOf(error) };
    }
  }

  private identityOf(claims: AccessClaims): string | undefined {
    // Client-credentials tokens have their client as subject, which is no person.
    const own = claims.subject === claims.clientId ? undefined : claims.subject;
    const identityId = this.options.identityOf === undefined ? own : this.options.identityOf(claims);
    return identityId !== undefined && uuid.test(identityId) ? identityId.toLowerCase() : undefined;
  }
}

/** @throws UnjudgedError where the error is not the token's */
function forgeryOf(error: unknown): Forgery {
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'algorithm';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWSInvalid) return 'malformed';
  throw new UnjudgedError('keys', { cause: error });
}

/** @returns a JSON object without members that are there twice; `undefined`: it is something else */
function strictlyParsed(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7515, section 4.1.9: `application/` may be left out, and letter case does not count. */
function typeName(type: unknown): string {
  return typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : '';
}
