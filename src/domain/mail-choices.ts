/** What an installation says of its mails. Pure. */

/** Who relays: how they are told our name of a mail, and how their events become bounces, stands in mail/providers. */
export const mailProviders = ['ses', 'postmark', 'mailgun', 'sendgrid'] as const;
export type MailProvider = (typeof mailProviders)[number];

/** `last-resort`: written to where there is no other address. `never`: as if they were not there. */
export const unverifiedChoices = ['last-resort', 'never'] as const;
export type Unverified = (typeof unverifiedChoices)[number];
