/**
 * Finds the identity behind a credential by asking its issuer alone: Kratos for sessions, Hydra or its keys
 * for tokens. Caches verdicts for a while, keyed by a hash, so that a memory dump holds no credentials.
 */

import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { given } from '../domain/given.js';
import { type AcceptedCredentials, type Credential, credentialIn, keyOf } from './credentials.js';
import { introspectionVerifier } from './introspected-token.js';
import { jwtVerifier } from './jwt.js';
import { kratosVerifier } from './kratos-session.js';
import type { ActivityOptions } from './options.js';
import { nobody, type Verdict } from './verdict.js';

export interface PendingVerification {
  /** Identifies the credential without revealing it. */
  readonly key: string;
  /** The cached verdict, so that asking is not needed. */
  readonly known?: Verdict;
  /** Asks the issuer. @throws VerificationUnavailableError */
  ask(): Promise<Verdict>;
}

export type IdentityVerifier = (headers: IncomingHttpHeaders) => PendingVerification | undefined;

type VerifierOptions = Pick<
  ActivityOptions<never>,
  'kratos' | 'tokens' | 'cacheMs' | 'cacheEntries' | 'verifyTimeoutMs'
>;

/**
 * @returns a function that inspects a request's headers, and gives `undefined` where they hold no credential
 */
export function createIdentityVerifier(options: VerifierOptions): IdentityVerifier {
  const cacheMs = options.cacheMs ?? 30_000;
  const verdicts = new LRUCache<string, Verdict>({ max: options.cacheEntries ?? 10_000 });
  const accepted: AcceptedCredentials = {
    bearer: options.tokens !== undefined,
    ...(options.kratos && { cookiePrefix: options.kratos.cookiePrefix ?? 'ory_kratos_session' }),
  };
  const verify = credentialVerifier(options);
  return (headers) => {
    const credential = credentialIn(headers, accepted);
    if (credential === undefined) return undefined;
    const key = keyOf(credential);
    const known = verdicts.get(key);
    return {
      key,
      ...given({ known }),
      async ask() {
        const verdict = await verify(credential);
        const ttl = Math.min(cacheMs, (verdict.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now());
        // In an LRU cache a lifetime of 0 means forever.
        if (ttl >= 1) verdicts.set(key, verdict, { ttl });
        return verdict;
      },
    };
  };
}

function credentialVerifier(options: VerifierOptions): (credential: Credential) => Promise<Verdict> {
  const timeoutMs = options.verifyTimeoutMs ?? 2_000;
  const session = options.kratos && kratosVerifier(options.kratos.publicUrl, timeoutMs);
  const token = options.tokens && tokenVerifier(options.tokens, timeoutMs);
  return async (credential) => {
    // The client's own timeout does not cover the whole connection setup.
    const signal = AbortSignal.timeout(timeoutMs);
    if (credential.type === 'bearer') return (await token?.(credential.value, signal)) ?? nobody;
    return (await session?.(credential, signal)) ?? nobody;
  };
}

function tokenVerifier(tokens: NonNullable<VerifierOptions['tokens']>, timeoutMs: number) {
  if ('introspection' in tokens) return introspectionVerifier(tokens.introspection.hydraAdminUrl, timeoutMs);
  return jwtVerifier(tokens.jwks, timeoutMs);
}
