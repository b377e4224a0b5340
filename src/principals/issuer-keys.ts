/** The signing keys of an OIDC issuer, found by its metadata (OpenID Connect Discovery 1.0, section 4). */
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { isSecureUrl } from './operators-file.js';

/** The metadata, or the keys, can't be had now. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

const timeoutMs = 5_000;
/** How long metadata counts. The keys themselves are fetched anew where a token names an unknown one. */
const metadataMs = 3_600_000;
/** After a failure, how long nobody tries again: callers must not be able to make us call somebody else at their rate. */
const retryMs = 5_000;
const largestMetadata = 65_536;

const metadata = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isSecureUrl) });

export class IssuerKeys {
  private known: { readonly keys: JWTVerifyGetKey; readonly at: number } | undefined;
  private finding: Promise<JWTVerifyGetKey> | undefined;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly issuer: string) {}

  /** @throws IssuerUnavailableError */
  async find(): Promise<JWTVerifyGetKey> {
    const now = performance.now();
    if (this.known !== undefined && now - this.known.at < metadataMs) return this.known.keys;
    if (now - this.failedAt < retryMs)
      return this.knownOr(new IssuerUnavailableError('it failed a moment ago'));
    this.finding ??= this.discover().finally(() => {
      this.finding = undefined;
    });
    try {
      return await this.finding;
    } catch (error) {
      this.failedAt = performance.now();
      return this.knownOr(new IssuerUnavailableError('its metadata can not be had', { cause: error }));
    }
  }

  /** An issuer seldom moves its keys: while it is away, the place that is known serves. @throws the error where none is */
  private knownOr(error: IssuerUnavailableError): JWTVerifyGetKey {
    if (this.known === undefined) throw error;
    return this.known.keys;
  }

  private async discover(): Promise<JWTVerifyGetKey> {
    const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`${answer.status} for its metadata`);
    const text = await answer.text();
    if (text.length > largestMetadata) throw new Error('its metadata is too large');
    const { issuer, jwks_uri } = metadata.parse(JSON.parse(text));
    // Section 4.3: otherwise one issuer could pass for another.
    // guard: principals: metadata name their own issuer
    if (issuer !== this.issuer) throw new Error('its metadata names another issuer');
    const keys = createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: timeoutMs });
    this.known = { keys, at: performance.now() };
    return keys;
  }
}
