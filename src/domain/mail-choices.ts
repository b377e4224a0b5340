/** The mail settings of an installation. Pure. */

/**
 * The relays. mail/providers knows how each is given our name of a mail, and how its events become bounces.
 */
export const mailProviders = ['ses', 'postmark', 'mailgun', 'sendgrid'] as const;
export type MailProvider = (typeof mailProviders)[number];

/** `last-resort`: used where there is no other address. `never`: treated as if they did not exist. */
export const unverifiedChoices = ['last-resort', 'never'] as const;
export type Unverified = (typeof unverifiedChoices)[number];
