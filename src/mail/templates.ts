/**
 * Loads the Handlebars templates once, at import. A mail is written once per locale and rendered twice: the
 * block helpers (`p`, `ul`, `li`, `strong`, `button`) write markup for html and plain lines for text, so
 * both have the same content. The first line of a template is its subject. An unknown name fails at import
 * instead of leaving a gap in a mail.
 */
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { compileStrict, type Render, splitHeading } from '../process/templates.js';
import type { MailLocale } from './locale.js';

/** All mails, each a file `templates/<locale>/<kind>.hbs`. */
export const mailKinds = [
  'warn',
  'notice-revoke',
  'notice-deactivate',
  'notice-delete',
  'revoked',
  'winback',
  'deactivated',
  'reactivated',
  'reactivation',
  'address-changed',
  'token-ends',
  'access-ended',
] as const;

export type MailKind = (typeof mailKinds)[number];

/** The variables that a template may use. All are always present: strict mode requires it. */
export interface MailView {
  lang: MailLocale;
  product: string;
  signInUrl: string;
  host: string;
  inactiveFor: string;
  next: {
    in: string;
    date: string;
    isSuspend: boolean;
    isRevoke: boolean;
    isDeactivate: boolean;
    isDelete: boolean;
  };
  /** Empty where the mail has no such link. */
  keep: { url: string; by: string };
  reactivation: { url: string; lifetime: string };
  /** Empty where the mail is about no token. */
  token: { name: string; isUnused: boolean };
  /** Without grants where the mail tells of no end. */
  ended: {
    isOne: boolean;
    count: string;
    grants: { name: string; created: string; lastUsed: string; network: string }[];
    /** How many are not listed; empty: none. */
    more: string;
  };
  /** Empty where the mail is owed, or has no links. */
  unsubscribeUrl: string;
  /** The host of these links, where it differs from that of the sign-in page. */
  linkHost: string;
  /** Whether there is more than one link. */
  hasMoreLinks: boolean;
}

type Format = 'html' | 'text';

interface MailTemplate {
  subject: Render;
  html: Render;
  text: Render;
}

const knownNames: ReadonlySet<string> = new Set([
  ...['p', 'ul', 'li', 'strong', 'button', 'if'],
  ...['lang', 'product', 'signInUrl', 'host', 'inactiveFor'],
  ...['next.in', 'next.date', 'next.isSuspend', 'next.isRevoke', 'next.isDeactivate', 'next.isDelete'],
  ...['keep.url', 'keep.by', 'reactivation.url', 'reactivation.lifetime', 'linkHost', 'hasMoreLinks'],
  ...['unsubscribeUrl', 'token.name', 'token.isUnused'],
  ...[
    'each',
    'ended.isOne',
    'ended.count',
    'ended.grants',
    'ended.more',
    'name',
    'created',
    'lastUsed',
    'network',
  ],
  ...['subject', 'body', 'footer'],
]);

const TEXT_WIDTH = 76;
const SUBJECT_PREFIX = 'Subject: ';

const environments = { html: htmlEnvironment(), text: textEnvironment() };
const layouts = { html: load('layout.html', 'html'), text: load('layout.text', 'text') };
const templates: Record<MailLocale, Record<MailKind, MailTemplate>> = {
  en: loadLocale('en'),
  de: loadLocale('de'),
};

/** The templates of one mail in one language. */
export function templateFor(kind: MailKind, locale: MailLocale): MailTemplate {
  return templates[locale][kind];
}

/**
 * Compiles a template like the mails' own; for tests of strictness and escaping.
 *
 * @throws `Error` when the template names a variable or helper that does not exist.
 */
export function compileTemplate(source: string, format: Format): Render {
  return compileStrict(source, {
    names: knownNames,
    environment: environments[format],
    noEscape: format === 'text',
  });
}

function loadLocale(locale: MailLocale): Record<MailKind, MailTemplate> {
  const footer = { html: load(`${locale}/footer`, 'html'), text: load(`${locale}/footer`, 'text') };
  const one = (kind: MailKind): MailTemplate => loadMail(locale, kind, footer);
  return {
    warn: one('warn'),
    'notice-revoke': one('notice-revoke'),
    'notice-deactivate': one('notice-deactivate'),
    'notice-delete': one('notice-delete'),
    revoked: one('revoked'),
    winback: one('winback'),
    deactivated: one('deactivated'),
    reactivated: one('reactivated'),
    reactivation: one('reactivation'),
    'address-changed': one('address-changed'),
    'token-ends': one('token-ends'),
    'access-ended': one('access-ended'),
  };
}

function loadMail(locale: MailLocale, kind: MailKind, footer: Record<Format, Render>): MailTemplate {
  const { heading, body: source } = splitHeading(
    read(`${locale}/${kind}`),
    SUBJECT_PREFIX,
    `${locale}/${kind}.hbs`,
  );
  const subject = compileTemplate(heading, 'text');
  const page = (format: Format): Render => {
    const body = compileTemplate(source, format);
    return (view) =>
      layouts[format]({
        ...view,
        subject: subject(view),
        body: body(view).trim(),
        footer: footer[format](view).trim(),
      });
  };
  const text = page('text');
  return { subject, html: page('html'), text: (view) => tidyText(text(view)) };
}

function load(name: string, format: Format): Render {
  return compileTemplate(read(name), format);
}

function read(name: string): string {
  return readFileSync(new URL(`./templates/${name}.hbs`, import.meta.url), 'utf8');
}

function htmlEnvironment(): typeof Handlebars {
  const environment = Handlebars.create();
  for (const tag of ['p', 'ul', 'li', 'strong']) {
    environment.registerHelper(tag, function (this: unknown, options: Handlebars.HelperOptions) {
      return `<${tag}>${options.fn(this)}</${tag}>`;
    });
  }
  environment.registerHelper('button', (label: string, url: string) => {
    const href = environment.escapeExpression(url);
    const text = environment.escapeExpression(label);
    return new environment.SafeString(
      `<p><a class="button" href="${href}">${text}</a></p>\n<p class="plain-url"><a href="${href}">${href}</a></p>`,
    );
  });
  return environment;
}

function textEnvironment(): typeof Handlebars {
  const environment = Handlebars.create();
  const block = (name: string, write: (content: string) => string): void => {
    environment.registerHelper(name, function (this: unknown, options: Handlebars.HelperOptions) {
      return write(options.fn(this));
    });
  };
  block('p', (content) => `${wrap(content, '')}\n`);
  block('ul', (content) => `${content.trim()}\n\n`);
  block('li', (content) => `- ${wrap(content, '  ')}`);
  block('strong', (content) => content);
  // The address stands alone on its line, so that no mail client breaks or extends it.
  environment.registerHelper('button', (label: string, url: string) => `${label}:\n${url}\n`);
  return environment;
}

function wrap(content: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of content.trim().split(/\s+/u)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > TEXT_WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}

function tidyText(text: string): string {
  return `${text.replace(/\n{3,}/gu, '\n\n').trim()}\n`;
}
