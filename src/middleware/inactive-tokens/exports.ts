/** What both entries of the guard export beside themselves. */
export type { AccessClaims } from '../../domain/tokens/access-claims.js';
export type {
  AccessTokensFields,
  GuardedToken,
  InactiveTokensAppOptions,
  InactiveTokensOptions,
  TokenEnd,
  TokenRules,
} from './options.js';
export { InactivityJwtStrategy } from './strategy.js';
