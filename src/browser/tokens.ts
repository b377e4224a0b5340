/** `@dormouse/browser/tokens`: the end of an access token, shown in the page of a single-page app (docs/inactive-tokens.md). No dependencies. */
export { startAccessToken } from './access-token.js';
export type { PageClock } from './clock.js';
export type { AccessToken, AccessTokenOptions } from './token-options.js';
export type { TokenEnd, TokenTexts } from './token-texts.js';
export { returnTarget } from './way-back.js';
