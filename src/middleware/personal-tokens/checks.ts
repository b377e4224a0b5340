/** What is asked and answered about personal access tokens. Pure. */
import { parseIdentityId } from '../../domain/identity-id.js';
import { actorProblem } from '../../domain/names.js';
import type { RefusedToken, TokenVerdict } from '../../domain/tokens/personal-verdict.js';
import { InvalidRequestError } from '../../process/caller-errors.js';
import type { StoredToken } from '../../tokens/personal/personal-tokens-table.js';
import type { VerifiedToken } from './options.js';

export type TokenCheck =
  | { readonly kind: 'live'; readonly token: VerifiedToken }
  /** `malformed`: refused by its form, without a query. */
  | { readonly kind: 'refused'; readonly why: RefusedToken['why'] | 'malformed' | 'unknown' }
  | { readonly kind: 'insufficient-scope'; readonly missing: readonly string[] }
  /** PostgreSQL, or the policy, could not be read: nobody gets in unjudged. */
  | { readonly kind: 'unavailable' };

/** Whose tokens are made or changed, and by whom. */
export interface TokenHolder {
  readonly identityId: string;
  /** Roles of the person, for the policy's ceilings. */
  readonly roles?: readonly string[];
  /** Opaque id of whoever acts, for the audit log. Default: the person. */
  readonly actor?: string;
}

/** A token as lists show it. */
export interface ListedToken extends StoredToken {
  readonly verdict: TokenVerdict;
}

/** @throws InvalidIdentityIdError, InvalidRequestError */
export function checkedHolder({ identityId, roles = [], actor }: TokenHolder): Required<TokenHolder> {
  const id = parseIdentityId(identityId);
  const problem = actor === undefined ? undefined : actorProblem(actor);
  if (problem !== undefined) throw new InvalidRequestError(`actor: ${problem}`);
  return { identityId: id, roles, actor: actor ?? id };
}

/** What is no id names no token: PostgreSQL need not be asked. */
export function isTokenId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
