/** What people read and hear of an access token's end. */
import { commonEnds, commonEnglish, type Texts } from './texts.js';

/** As the guard answers it (docs/inactive-tokens.md, "Answers"), and what the page adds. */
export type TokenEnd = 'idle' | 'time' | 'revoked' | 'error' | 'signed_out';

export type TokenTexts = Texts<TokenEnd | 'unreachable'>;

export const englishTokens: TokenTexts = {
  ...commonEnglish,
  warning: (left) => `You will be signed out in ${left}, because you did nothing for a while.`,
  absolute: (left) => `Your access ends in ${left}. Save your work.`,
  ended: {
    ...commonEnds,
    idle: 'You were signed out: you did nothing for a while.',
    time: 'You were signed out: your access reached its time limit.',
    revoked: 'You were signed out: your access was ended elsewhere.',
    error: 'Your access is not valid here. Please sign in again.',
  },
};
