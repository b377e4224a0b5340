/** The texts in German: `startIdleSession({ texts: german })`. */
import type { Texts } from './texts.js';

export const german: Texts = {
  language: 'de',
  title: 'Sind Sie noch da?',
  warning: (left) => `Sie werden in ${left} abgemeldet, weil keine Eingabe kam.`,
  absolute: (left) => `Ihre Sitzung endet in ${left}. Sichern Sie Ihre Arbeit.`,
  stay: 'Angemeldet bleiben',
  signOut: 'Jetzt abmelden',
  understood: 'Verstanden',
  signIn: 'Anmelden',
  ended: {
    idle: 'Sie wurden abgemeldet: eine Weile kam keine Eingabe.',
    absolute: 'Sie wurden abgemeldet: Ihre Sitzung hat ihre Grenze erreicht.',
    signed_out: 'Sie sind abgemeldet.',
    revoked: 'Sie wurden abgemeldet: Ihre Sitzung endete an anderer Stelle.',
    unreachable: 'Der Server ist nicht erreichbar. Bitte warten.',
  },
};
