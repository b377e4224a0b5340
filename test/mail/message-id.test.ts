import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailHeaders } from '../../src/mail/headers.js';
import { MailConfigError } from '../../src/smtp/errors.js';
import { stableMessageId } from '../../src/smtp/message-id.js';
import { parseSmtpUrl } from '../../src/smtp/url.js';

describe('stableMessageId', () => {
  it('is the same for the same key, whatever the display name, and holds none of it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (key) => {
        const id = stableMessageId(key, 'no-reply@Mail.Acme.example');
        expect(id).toBe(stableMessageId(key, '"Acme, Inc. @ home" <other@mail.acme.example>'));
        expect(id).toMatch(/^<[0-9a-f]{40}@mail\.acme\.example>$/u);
      }),
    );
  });

  it('differs between keys', () => {
    const from = 'no-reply@acme.example';
    expect(stableMessageId('a', from)).not.toBe(stableMessageId('b', from));
  });

  it.each(['', 'nobody', 'a@', 'a@b c>\r\nX: y'])('refuses the sender %j', (from) => {
    expect(() => stableMessageId('key', from)).toThrow(MailConfigError);
  });
});

it('marks mails as automatic', () => {
  expect(mailHeaders('warn', { locale: 'de' })).toEqual({
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'X-Dormouse-Kind': 'warn',
    'Content-Language': 'de',
  });
});

it('offers one click against invitations, if the address is https', () => {
  const https = mailHeaders('winback', {
    locale: 'en',
    unsubscribeUrl: 'https://a.example/account/unsubscribe/x',
  });
  expect(https).toMatchObject({
    'List-Unsubscribe': '<https://a.example/account/unsubscribe/x>',
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  });
  const http = mailHeaders('winback', { locale: 'en', unsubscribeUrl: 'http://a.example/x' });
  expect(http).toMatchObject({ 'List-Unsubscribe': '<http://a.example/x>' });
  expect(http).not.toHaveProperty('List-Unsubscribe-Post');
});

describe('parseSmtpUrl', () => {
  it('reads addresses and credentials', () => {
    expect(parseSmtpUrl('smtps://us%40er:p%2Fw@mail.example')).toMatchObject({
      host: 'mail.example',
      port: 465,
      secure: true,
      auth: { user: 'us@er', pass: 'p/w' },
    });
    expect(parseSmtpUrl('smtp://[::1]:1025')).toMatchObject({ host: '::1', port: 1025, requireTls: false });
  });

  it('never sends credentials in the clear unless told so', () => {
    expect(parseSmtpUrl('smtp://u:p@mail.example').requireTls).toBe(true);
    expect(parseSmtpUrl('smtp://u:p@localhost:25').requireTls).toBe(false);
    expect(parseSmtpUrl('smtp://u:p@mail.example?ignoreTLS=true').requireTls).toBe(false);
  });

  it.each([
    'mail.example:25',
    'http://u:secret@mail.example',
    'smtp://u:secret@mail.example?logger=true',
    'smtp://u:secret@mail.example?requireTLS=maybe',
    'smtp://u:secret@mail.example?requireTLS=true&ignoreTLS=true',
    'smtp://u:secret%ZZ@mail.example',
  ])('refuses %s without quoting it', (url) => {
    expect(() => parseSmtpUrl(url)).toThrow(MailConfigError);
    expect(() => parseSmtpUrl(url)).not.toThrow(/secret|mail\.example/u);
  });
});
