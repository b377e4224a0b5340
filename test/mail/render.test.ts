import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailKinds, renderMail } from '../../src/mail/render.js';
import { MailTemplateError } from '../../src/mail/template-error.js';
import { compileTemplate } from '../../src/mail/templates.js';
import { DAY_MS, DEADLINE_AT, everyMail, factsOf, REACTIVATION_URL } from './facts.js';

const DATES = { en: 'March 5, 2027', de: '5. März 2027' };

/** Text mails are wrapped: compare their words. */
const words = (text: string): string => text.replace(/\s+/gu, ' ');

describe.each(everyMail)('$kind in $locale', ({ kind, locale, dated }) => {
  const mail = renderMail(factsOf(kind, { locale }));

  it('reads like this', () => {
    expect(`Subject: ${mail.subject}\n\n${mail.text}`).toMatchSnapshot();
  });

  it('says the same in text and html: link, host, date', () => {
    expect(mail.locale).toBe(locale);
    const url = kind === 'reactivation' ? REACTIVATION_URL : 'https://id.acme.example/login?from=mail&lang=x';
    expect(mail.text).toContain(`\n${url}\n`);
    const [, href] = /<a class="button" href="([^"]*)">[^<]+<\/a>/u.exec(mail.html) ?? [];
    expect(href?.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')).toBe(url);
    for (const body of [words(mail.text), words(mail.html)]) {
      expect(body).toContain(' id.acme.example ');
      expect(body.includes(DATES[locale])).toBe(dated);
      expect(body).not.toMatch(/undefined|null|NaN|\[object|\{\{/u);
    }
  });

  it('is a whole, quiet html document', () => {
    expect(mail.html).toMatch(/^<!doctype html>\n<html lang="(en|de)" dir="ltr">/u);
    expect(mail.html).toContain(`<html lang="${locale}"`);
    expect(mail.html).toContain('prefers-color-scheme: dark');
    expect(mail.html).not.toMatch(/<img|<script|<link|<iframe|<form|<input|@import|url\(|src=/iu);
    const targets = [...mail.html.matchAll(/href="([^"]*)"/gu)].map(([, href]) => href);
    expect(new Set(targets).size).toBe(1);
  });

  it('escapes in html, not in text, and keeps the subject on one line', () => {
    const hostile = renderMail(
      factsOf(kind, {
        locale: `${locale}\r\nBcc: x@example.org`,
        productName: '<b>&"x\r\nBcc: a@example.org',
      }),
    );
    expect(hostile.locale).toBe('en');
    expect(hostile.subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(hostile.subject).toContain('<b>&"x Bcc: a@example.org');
    expect(words(hostile.text)).toContain('<b>&"x Bcc');
    expect(hostile.html).not.toContain('<b>');
    expect(hostile.html).toContain('&lt;b&gt;&amp;&quot;x Bcc');
  });
});

describe('facts', () => {
  const announcing = ['notice-revoke', 'notice-deactivate', 'notice-delete'] as const;

  it.each(announcing)('%s needs the step that it announces', (kind) => {
    const { upcoming: _, ...bare } = factsOf(kind);
    expect(() => renderMail(bare)).toThrow(expect.objectContaining({ kind, field: 'upcoming' }));
    const wrong = { action: 'suspend', at: DEADLINE_AT, inMs: DAY_MS } as const;
    expect(() => renderMail(factsOf(kind, { upcoming: wrong }))).toThrow(
      expect.objectContaining({ kind, field: 'upcoming.action' }),
    );
  });

  it.each([
    ['suspend', /put new actions on hold in 7 days, on March 5, 2027/, /halten wir in 7 Tagen/],
    ['revoke', /sign the account out on all devices in 7 days.* at the earliest/, /auf allen Geräten ab/],
    ['deactivate', /deactivate the account in 7 days.* at the earliest/, /deaktivieren wir das Konto/],
    ['delete', /delete the account in 7 days.* at the earliest/, /löschen wir das Konto/],
  ] as const)('warn announces what comes next: %s', (action, english, german) => {
    const upcoming = { action, at: DEADLINE_AT, inMs: 7 * DAY_MS };
    const textIn = (locale: string) => words(renderMail(factsOf('warn', { locale, upcoming })).text);
    expect(textIn('en')).toMatch(english);
    expect(textIn('de')).toMatch(german);
    expect(textIn('en').includes('on hold')).toBe(action === 'suspend');
    expect(textIn('de').includes('Sperre')).toBe(action === 'suspend');
  });

  it('warn announces nothing where nothing comes next', () => {
    const { upcoming: _, ...bare } = factsOf('warn');
    const { text, subject } = renderMail(bare);
    expect([text.includes('on hold'), text.includes('at the earliest'), subject]).toEqual([
      false,
      false,
      'Acme Notes: nobody has used your account for a while',
    ]);
  });

  it.each(['revoked', 'winback', 'deactivated', 'reactivated'] as const)('%s needs none', (kind) => {
    const { upcoming: _, ...bare } = factsOf(kind);
    expect(renderMail(bare).text).not.toContain('March');
  });

  it.each([
    ['signInUrl', { signInUrl: 'javascript:alert(1)' }],
    ['signInUrl', { signInUrl: '/login' }],
    ['signInUrl', { signInUrl: 'https://acme.example@evil.example/' }],
    ['productName', { productName: ' \u202e\n' }],
    ['inactiveForMs', { inactiveForMs: Number.NaN }],
    ['inactiveForMs', { inactiveForMs: -1 }],
    ['upcoming.at', { upcoming: { action: 'suspend' as const, at: Number.NaN, inMs: 1 } }],
    ['upcoming.inMs', { upcoming: { action: 'suspend' as const, at: 0, inMs: Number.NaN } }],
  ])('refuses a bad %s', (field, change) => {
    expect(() => renderMail(factsOf('warn', change))).toThrow(MailTemplateError);
    expect(() => renderMail(factsOf('warn', change))).toThrow(expect.objectContaining({ field }));
  });

  it.each([
    ['de-AT', 'de', '5. März 2027'],
    ['de_CH', 'de', '5. März 2027'],
    ['DE', 'de', '5. März 2027'],
    ['en-GB', 'en', '5 March 2027'],
    ['de-u-ca-buddhist-nu-thai', 'de', '5. März 2027'],
    ['fr-CA', 'en', 'March 5, 2027'],
    ['', 'en', 'March 5, 2027'],
    ['no such thing', 'en', 'March 5, 2027'],
  ])('locale %j reads as %s', (tag, locale, date) => {
    const mail = renderMail(factsOf('warn', { locale: tag }));
    expect(mail.locale).toBe(locale);
    expect(words(mail.text)).toContain(date);
  });

  it('names the time for near deadlines, with seconds for demo policies', () => {
    const at = (inMs: number, locale: string): string =>
      words(
        renderMail(factsOf('warn', { locale, upcoming: { action: 'suspend', at: DEADLINE_AT, inMs } })).text,
      );
    expect(at(DAY_MS, 'en')).toContain('in 24 hours, on March 5, 2027 at 2:03 PM UTC');
    expect(at(DAY_MS, 'de')).toContain('in 24 Stunden, am 5. März 2027 um 14:03 UTC');
    expect(at(12_000, 'en')).toContain('in 12 seconds, on March 5, 2027 at 2:03:20 PM UTC');
    expect(at(12_000, 'de')).toContain('in 12 Sekunden, am 5. März 2027 um 14:03:20 UTC');
  });

  it('renders whatever the product is called and wherever it lives', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((s) => /\p{L}/u.test(s));
    fc.assert(
      fc.property(
        fc.constantFrom(...mailKinds),
        name,
        fc.webUrl(),
        fc.string(),
        (kind, productName, signInUrl, locale) => {
          const mail = renderMail(factsOf(kind, { productName, signInUrl, locale }));
          expect(mail.subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          if (kind !== 'reactivation') expect(mail.text).toContain(new URL(signInUrl).href);
        },
      ),
    );
  });
});

describe('links for people', () => {
  const keep = { url: 'https://keep.acme.example/account/keep/BBBBBBBBBBBBBBBBBBBBBB', byMs: 30 * DAY_MS };
  const reactivation = { url: 'https://keep.acme.example/account/reactivate' };
  const notices = ['notice-revoke', 'notice-deactivate', 'notice-delete'] as const;
  const hrefs = (html: string) => new Set([...html.matchAll(/href="([^"]*)"/gu)].map(([, href]) => href));

  it.each(
    notices.flatMap((kind) => (['en', 'de'] as const).map((locale) => ({ kind, locale }))),
  )('"Keep my account" in $kind in $locale says what it does, and that it signs nobody in', ({
    kind,
    locale,
  }) => {
    const plain = renderMail(factsOf(kind, { locale }));
    const mail = renderMail(factsOf(kind, { locale, keep }));
    expect(plain.text).not.toContain('/account/');
    expect(mail.text).toContain(`\n${keep.url}\n`);
    expect(mail.html).toContain(`<a class="button" href="${keep.url}">`);
    expect(hrefs(mail.html).size).toBe(2);
    const said = locale === 'en' ? ['by 30 days', 'does not sign you in'] : ['um 30 Tage', 'Angemeldet'];
    for (const part of said) expect(words(mail.text)).toContain(part);
    // The way that was there before still is.
    expect(mail.text).toContain('\nhttps://id.acme.example/login?from=mail&lang=x\n');
    expect(words(mail.text)).toMatch(/id\.acme\.example (and|und) keep\.acme\.example/u);
  });

  it.each([
    'deactivated',
    'notice-delete',
  ] as const)('%s leads to the page where a link is asked for', (kind) => {
    for (const locale of ['en', 'de']) {
      const mail = renderMail(factsOf(kind, { locale, reactivation }));
      expect(mail.text).toContain(`\n${reactivation.url}\n`);
      expect(hrefs(mail.html)).toContain(reactivation.url);
      const off = renderMail(factsOf(kind, { locale }));
      expect(words(off.text)).toMatch(/support or your administrator|Support oder Ihre Administration/u);
      expect(off.text).not.toContain('/account/');
    }
  });

  it('"reactivation" says how long the link holds, and is nothing without it', () => {
    expect(words(renderMail(factsOf('reactivation', { locale: 'en' })).text)).toContain('holds for 24 hours');
    expect(words(renderMail(factsOf('reactivation', { locale: 'de' })).text)).toContain('24 Stunden lang');
    const { reactivation: _, ...bare } = factsOf('reactivation');
    for (const facts of [bare, { ...bare, reactivation }])
      expect(() => renderMail(facts)).toThrow(expect.objectContaining({ field: 'reactivation' }));
  });

  it.each(['keep', 'reactivation'] as const)('refuses a bad %s.url', (field) => {
    const bad = { url: 'https://acme.example@evil.example/', byMs: 1, lifetimeMs: 1 };
    expect(() => renderMail(factsOf('notice-delete', { [field]: bad }))).toThrow(
      expect.objectContaining({ field: `${field}.url` }),
    );
  });
});

describe('strict mode', () => {
  it.each(['html', 'text'] as const)('an unknown name fails in %s', (format) => {
    expect(compileTemplate('{{#p}}{{product}}{{/p}}', format)({ product: 'a' })).toContain('a');
    const wrong = [
      '{{prodct}}',
      '{{#p}}{{x}}{{/p}}',
      '{{next.at}}',
      '{{#if next.x}}y{{/if}}',
      '{{button "a" x}}',
    ];
    for (const source of wrong) expect(() => compileTemplate(source, format)).toThrow(/unknown name/u);
    expect(() => compileTemplate('{{product}}', format)({})).toThrow(/product/u);
  });
});

describe('the notice of a token', () => {
  it('by expiry asks to replace it, and by inactivity to use it', () => {
    const text = (by: 'inactive' | 'expiry') =>
      words(renderMail(factsOf('token-ends', { token: { name: 'ci', by } })).text);
    expect(text('expiry')).toContain('rotate the token');
    expect(text('inactive')).toContain('let the program use it once');
  });

  it('shows a name as text on one line, whatever is in it', () => {
    const mail = renderMail(
      factsOf('token-ends', { token: { name: 'a\r\nb <b>&amp;\u202E', by: 'expiry' } }),
    );
    expect(mail.html).toContain('a b &lt;b&gt;&amp;amp;');
    expect(words(mail.text)).toContain('“a b <b>&amp;”');
  });

  it('without its token is refused', () => {
    const { token: _token, ...facts } = factsOf('token-ends');
    expect(() => renderMail(facts)).toThrow(MailTemplateError);
  });
});

describe('the mail of access that ended', () => {
  it('speaks of one app or device in the singular, and counts those that it does not list', () => {
    const one = { name: 'Phone', createdAt: DEADLINE_AT };
    const subject = (count: number) =>
      renderMail(factsOf('access-ended', { ended: { grants: [one], count } }));
    expect(subject(1).subject).toBe('Acme Notes: an app or device has no access any more');
    expect(subject(1).text).not.toContain(' more\n');
    expect(subject(7).subject).toBe('Acme Notes: 7 apps and devices have no access any more');
    expect(words(subject(7).text)).toContain('and 6 more');
  });

  it('shows a name of a device as text on one line, whatever is in it', () => {
    const hostile = { name: 'a\r\nb <b>&amp;\u202E', createdAt: DEADLINE_AT };
    const mail = renderMail(factsOf('access-ended', { ended: { grants: [hostile], count: 1 } }));
    expect(mail.html).toContain('a b &lt;b&gt;&amp;amp;');
    expect(words(mail.text)).toContain('“a b <b>&amp;”');
  });

  it('without anything that ended is refused', () => {
    expect(() => renderMail(factsOf('access-ended', { ended: { grants: [], count: 0 } }))).toThrow(
      MailTemplateError,
    );
  });
});
