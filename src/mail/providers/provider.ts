/**
 * Mail providers: how each is given our name of a mail, and how its events become bounces. A
 * provider writes its own Message-IDs or quotes none, so each mail carries our name in the header
 * that the provider uses for tags. Pure.
 */
import type { MailProvider } from '../../domain/mail-choices.js';
import { nameOfMail } from '../../smtp/mail-name.js';

/** The tag's name. */
export const tagName = 'dormouse';

/** @returns the header that makes the provider's events name the mail */
export function providerHeaders(provider: MailProvider, messageId: string): Record<string, string> {
  const name = nameOfMail(messageId) ?? '';
  switch (provider) {
    case 'ses':
      return { 'X-SES-MESSAGE-TAGS': `${tagName}=${name}` };
    case 'postmark':
      return { [`X-PM-Metadata-${tagName}`]: name };
    case 'mailgun':
      return { 'X-Mailgun-Variables': JSON.stringify({ [tagName]: name }) };
    case 'sendgrid':
      return { 'X-SMTPAPI': JSON.stringify({ unique_args: { [tagName]: name } }) };
    default:
      return provider satisfies never;
  }
}
