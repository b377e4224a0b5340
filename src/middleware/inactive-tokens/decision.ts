/** What is asked about a request's token, and what is decided. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { isBelowAny } from '../../domain/sessions/paths.js';
import type { AccessTokensPolicy } from '../../domain/tokens/access-policy.js';
import type { GuardedToken, TokenEnd } from './options.js';

export interface TokenQuestion {
  readonly headers: IncomingHttpHeaders;
  /** The path that is asked for. */
  readonly path: string;
  /** Whether the request is a use. Requests below the policy's `excluded` never are. */
  readonly isUse: boolean;
}

export type TokenDecision =
  /** `leftMs`: the token ends so soon that the answer is to say it. */
  | { readonly kind: 'good'; readonly token: GuardedToken; readonly leftMs?: number }
  | { readonly kind: 'refused'; readonly end: TokenEnd }
  /** There is no bearer token. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly system: string };

/** The token of `Authorization: Bearer …`. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  const [scheme, token] = (headers.authorization ?? '').split(/ +(.*)/s, 2);
  return scheme?.toLowerCase() === 'bearer' ? token?.trim() || undefined : undefined;
}

/** Whether the request renews its token. */
export function isUseOf({ isUse, path }: TokenQuestion, { excluded }: AccessTokensPolicy): boolean {
  // guard: access tokens: excluded paths renew nothing
  return isUse && !isBelowAny(excluded, path);
}
