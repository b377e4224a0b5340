/** What people read and hear. */

export type EndReason = 'idle' | 'absolute' | 'signed_out' | 'revoked' | 'unreachable';

/** `Reason`: why it may have ended. */
export interface Texts<Reason extends string = EndReason> {
  /** Of the units: "2 minutes". */
  readonly language: string;
  readonly title: string;
  /** @param left such as "2 minutes" */
  readonly warning: (left: string) => string;
  readonly absolute: (left: string) => string;
  readonly stay: string;
  readonly signOut: string;
  readonly understood: string;
  readonly signIn: string;
  readonly ended: Readonly<Record<Reason, string>>;
}

/** What sessions and access tokens have in common. */
export const commonEnglish = {
  language: 'en',
  title: 'Are you still there?',
  stay: 'Stay signed in',
  signOut: 'Sign out now',
  understood: 'Understood',
  signIn: 'Sign in',
};
export const commonEnds = {
  signed_out: 'You are signed out.',
  unreachable: 'The server cannot be reached. Please wait.',
};

export const english: Texts = {
  ...commonEnglish,
  warning: (left) => `You will be signed out in ${left}, because there was no input.`,
  absolute: (left) => `Your session ends in ${left}. Save your work.`,
  ended: {
    ...commonEnds,
    idle: 'You were signed out: there was no input for a while.',
    absolute: 'You were signed out: your session reached its limit.',
    revoked: 'You were signed out: your session ended elsewhere.',
  },
};

/** Whole minutes above one minute, seconds below: "2 minutes". */
export function timeLeft({ language }: Pick<Texts, 'language'>, seconds: number): string {
  const [count, unit] = seconds > 60 ? [Math.ceil(seconds / 60), 'minute'] : [seconds, 'second'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}
