/** The texts of access tokens in German: `startAccessToken({ texts: germanTokens })`. */
import { german } from './de.js';
import type { TokenTexts } from './token-texts.js';

export const germanTokens: TokenTexts = {
  ...german,
  warning: (left) => `Sie werden in ${left} abgemeldet, weil Sie eine Weile nichts getan haben.`,
  absolute: (left) => `Ihr Zugang endet in ${left}. Sichern Sie Ihre Arbeit.`,
  ended: {
    idle: 'Sie wurden abgemeldet: Sie haben eine Weile nichts getan.',
    time: 'Sie wurden abgemeldet: die Zeit Ihres Zugangs ist abgelaufen.',
    revoked: 'Sie wurden abgemeldet: Ihr Zugang wurde an anderer Stelle beendet.',
    error: 'Ihr Zugang gilt hier nicht. Bitte melden Sie sich neu an.',
    signed_out: german.ended.signed_out,
    unreachable: german.ended.unreachable,
  },
};
