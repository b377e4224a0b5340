/**
 * Renders the pages that people reach by links in mails. The templates are loaded once, at import. The first
 * line of each is its title. Pages have no script and load nothing.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { MailLocale } from '../mail/locale.js';
import { compileStrict, type Render, splitHeading } from '../process/templates.js';

export const pageNames = [
  'keep',
  'kept',
  'request',
  'requested',
  'reactivate',
  'reactivated',
  'unsubscribe',
  'unsubscribed',
  'sessions',
  'access',
  'activity',
  'signed-out',
  'not-signed-in',
  'sign-in-again',
  'sessions-busy',
  'tokens',
  'token',
  'invalid',
  'busy',
  'too-many',
  'problem',
] as const;
export type PageName = (typeof pageNames)[number];

/** The variables that a template may use. All are always present: strict mode requires it. */
export interface PageView {
  readonly product: string;
  readonly signInUrl: string;
  readonly requestUrl: string;
  /** For `keep` and `kept`; empty elsewhere. */
  readonly date: string;
  readonly by: string;
  readonly until: string;
  readonly isRevoke: boolean;
  readonly isDeactivate: boolean;
  readonly isDelete: boolean;
  /** For `sessions`; empty elsewhere. */
  readonly sessions: readonly SessionView[];
  readonly hasOthers: boolean;
  readonly choices: readonly ChoiceView[];
  /** For `tokens`; empty elsewhere. */
  readonly tokens: readonly TokenView[];
  readonly tokenTypes: readonly TokenTypeView[];
  /** What the person wrote into a form that was refused, and why it was. */
  readonly typedName: string;
  readonly typedScopes: string;
  readonly typedDays: string;
  readonly isTooMany: boolean;
  readonly isNameWrong: boolean;
  readonly isTypeWrong: boolean;
  readonly isScopesWrong: boolean;
  readonly isExpiryWrong: boolean;
  /** For `token`: the new token itself; empty elsewhere. */
  readonly token: string;
  /** For `access`; empty elsewhere. */
  readonly live: readonly FamilyView[];
  readonly ended: readonly FamilyView[];
  /** For `activity`; empty elsewhere. */
  readonly lines: readonly LineView[];
  readonly kinds: readonly KindView[];
  /** The filter as the person wrote it. */
  readonly from: string;
  readonly to: string;
  readonly isTimeWrong: boolean;
  /** Where the older entries and the newest are, as a query. Empty: there are none, or they are shown. */
  readonly older: string;
  readonly newest: string;
}

/** What an app recorded about the person. Exactly one of the flags that begin with `is` is true. */
export interface LineView {
  readonly at: string;
  readonly app: string;
  /** Of a request that was served; empty elsewhere. */
  readonly method: string;
  readonly path: string;
  readonly status: string;
  readonly isRequest: boolean;
  readonly isIdle: boolean;
  readonly isTime: boolean;
  readonly isRevoked: boolean;
  readonly isWrong: boolean;
  readonly isUnjudged: boolean;
}

/** A kind of entries that the person may choose. */
export interface KindView {
  readonly kind: string;
  readonly isAudit: boolean;
  readonly isSecurity: boolean;
  readonly isError: boolean;
  readonly isChosen: boolean;
}

/** The fields of the page with what was recorded, where there are none. */
export const noActivity = {
  lines: [],
  kinds: [],
  ...{ from: '', to: '', older: '', newest: '', isTimeWrong: false },
} as const satisfies Partial<PageView>;

/** An app or a device that stays signed in by refresh tokens. Empty: not known. */
export interface FamilyView {
  readonly id: string;
  readonly device: string;
  readonly client: string;
  readonly place: string;
  readonly since: string;
  /** Empty: never used. */
  readonly used: string;
  /** When it ended; empty for a live one. */
  readonly until: string;
  readonly isStale: boolean;
  readonly isReuse: boolean;
}

/** One of the person's access tokens. Empty times: never. */
export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly scopes: string;
  readonly since: string;
  readonly seen: string;
  readonly expires: string;
  readonly unusedUntil: string;
  readonly isLive: boolean;
}

/** A type of tokens, with its limits in words. Empty: without limit. */
export interface TokenTypeView {
  readonly type: string;
  readonly unused: string;
  readonly longest: string;
  readonly scopes: string;
}

/** The fields of the pages with tokens, where there are none. */
export const noTokens = {
  tokens: [],
  tokenTypes: [],
  ...{ typedName: '', typedScopes: '', typedDays: '', token: '' },
  ...{ isTooMany: false, isNameWrong: false, isTypeWrong: false, isScopesWrong: false, isExpiryWrong: false },
} as const satisfies Partial<PageView>;

/** One of the person's sessions. Empty: not known. */
export interface SessionView {
  readonly id: string;
  readonly device: string;
  readonly place: string;
  readonly since: string;
  readonly seen: string;
  readonly isCurrent: boolean;
}

/** An idle limit that the person may choose. */
export interface ChoiceView {
  readonly idleMs: number;
  /** Empty: as the policy says. */
  readonly limit: string;
  readonly isChosen: boolean;
}

const titlePrefix = 'Title: ';
const style = read('style.css');
const names = new Set([
  ...['if', 'unless'],
  ...['product', 'signInUrl', 'requestUrl', 'date', 'by', 'until', 'isRevoke', 'isDeactivate', 'isDelete'],
  ...['lang', 'title', 'style', 'body'],
  ...['each', 'sessions', 'hasOthers', 'choices', 'id', 'device', 'place', 'since', 'seen', 'isCurrent'],
  ...['idleMs', 'limit', 'isChosen'],
  ...[
    'tokens',
    'tokenTypes',
    'token',
    'name',
    'type',
    'scopes',
    'expires',
    'unusedUntil',
    'isLive',
    'unused',
    'longest',
  ],
  ...[
    'typedName',
    'typedScopes',
    'typedDays',
    'isTooMany',
    'isNameWrong',
    'isTypeWrong',
    'isScopesWrong',
    'isExpiryWrong',
  ],
  ...['live', 'ended', 'client', 'used', 'isStale', 'isReuse'],
  ...[
    'lines',
    'kinds',
    'kind',
    'isAudit',
    'isSecurity',
    'isError',
    'from',
    'to',
    'isTimeWrong',
    'older',
    'newest',
  ],
  ...['at', 'app', 'method', 'path', 'status'],
  ...['isRequest', 'isIdle', 'isTime', 'isRevoked', 'isWrong', 'isUnjudged'],
]);
const layout = compileStrict(read('layout.hbs'), { names });
const pages = { en: loadLocale('en'), de: loadLocale('de') };

/** The only style that the pages' Content-Security-Policy lets a browser apply. */
export const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`;

/** @returns a whole HTML document */
export function renderPage(name: PageName, lang: MailLocale, view: PageView): string {
  const { title, body } = pages[lang][name];
  return layout({ lang, title, style, product: view.product, body: body(view).trim() });
}

type Pages = Readonly<Record<PageName, { readonly title: string; readonly body: Render }>>;

function loadLocale(locale: MailLocale): Pages {
  const entries = pageNames.map((name) => {
    const file = `${locale}/${name}.hbs`;
    const { heading: title, body } = splitHeading(read(file), titlePrefix, file);
    return [name, { title, body: compileStrict(body, { names }) }] as const;
  });
  return Object.fromEntries(entries) as Pages;
}

function read(name: string): string {
  return readFileSync(new URL(`./templates/${name}`, import.meta.url), 'utf8');
}
