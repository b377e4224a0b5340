/** The entry for apps without Fastify: the service itself. */
export type { Exchange, ExchangeRefusal, Mint, MintRequest } from '../../tokens/refresh/exchange.js';
export type {
  Grant,
  HydraConsent,
  ListedFamily,
  NewGrant,
  RefreshRequest,
  RefreshTokensOptions,
} from './options.js';
export { RefreshTokens } from './refresh-tokens.js';
