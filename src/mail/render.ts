/**
 * Renders the mails of the ladder from plain facts: subject, text and html. No I/O
 * except the templates read at import.
 */

import type { MailContent } from '../smtp/transport.js';
import { durationInWords, formatDay, formatDeadline, formatIn } from './durations.js';
import { type MailLocale, resolveLocale } from './locale.js';
import { MailTemplateError } from './template-error.js';
import { type MailKind, type MailView, templateFor } from './templates.js';

export type { MailLocale } from './locale.js';
export { MailTemplateError } from './template-error.js';
export { type MailKind, mailKinds } from './templates.js';

/** The steps that a mail can announce. */
export type AnnouncedAction = 'suspend' | 'revoke' | 'deactivate' | 'delete' | 'end-token';

/** Everything that a mail may contain. Holds no personal data except the language, and names of tokens and devices. */
export interface MailFacts {
  kind: MailKind;
  /** BCP 47 tag, e.g. `de-AT`; absent, malformed or another language: English. */
  locale?: string;
  /** The product's name as people know it. Control characters and line breaks become spaces. */
  productName: string;
  /** Where to sign in: an absolute http(s) URL without credentials. */
  signInUrl: string;
  /** How long nobody has used the account, in milliseconds. */
  inactiveForMs: number;
  /**
   * The step that the mail announces. Required for the notices (each its own action). `warn` announces
   * the next step, whichever it is. `revoked`, `winback` and `deactivated` mention a later `deactivate`
   * or `delete` where it is given.
   */
  upcoming?: {
    action: AnnouncedAction;
    /** Epoch milliseconds. */
    at: number;
    /** Milliseconds from now until `at`. */
    inMs: number;
  };
  /**
   * "Keep my account", where the policy has it: the link, and by how much it
   * postpones the step, milliseconds.
   */
  keep?: { url: string; byMs: number };
  /**
   * How the person ends a deactivation, where the policy allows it: the page where a link can be requested,
   * or, in `reactivation` (required there), the link and its lifetime, milliseconds.
   */
  reactivation?: { url: string; lifetimeMs?: number };
  /** The token that `token-ends` is about (required there): its name as the person wrote it, and what ends it. */
  token?: { name: string; by: 'inactive' | 'expiry' };
  /** What `access-ended` tells of (required there). */
  ended?: EndedAccess;
  /** Where the person can unsubscribe; for mails that are not owed. */
  unsubscribeUrl?: string;
}

/** Apps and devices that have no access any more. */
export interface EndedAccess {
  /** At least one. Times in epoch milliseconds. */
  readonly grants: readonly {
    /** As the person calls the device, or the app's name. */
    readonly name: string;
    readonly createdAt: number;
    readonly lastUsedAt?: number;
    /** Such as `198.51.100.0/24`. */
    readonly network?: string;
  }[];
  /** Of all, where `grants` has only some of them. */
  readonly count: number;
}

/** `html` is a whole document; nothing in it is loaded from elsewhere. */
export interface RenderedMail extends MailContent {
  locale: MailLocale;
  /**
   * For the headers with which mail programs offer to unsubscribe. Absent: the mail
   * is owed, or there are no links.
   */
  unsubscribeUrl?: string;
}

/** The action that a kind of mail must announce; `null` where it reports a past event. */
const announcedBy: Record<MailKind, AnnouncedAction | null> = {
  warn: null,
  'notice-revoke': 'revoke',
  'notice-deactivate': 'deactivate',
  'notice-delete': 'delete',
  revoked: null,
  winback: null,
  deactivated: null,
  reactivated: null,
  reactivation: null,
  'address-changed': null,
  'token-ends': 'end-token',
  'access-ended': null,
};

/** The latest instant that a Date can hold (ECMA-262, time values). */
const MAX_EPOCH_MS = 8.64e15;

/**
 * Renders one mail in the language of the identity.
 *
 * @throws {@link MailTemplateError} naming the kind and the field, when a required
 * fact is missing or makes no sense.
 */
export function renderMail(facts: MailFacts): RenderedMail {
  const { language, formatTag } = resolveLocale(facts.locale);
  const url = parseUrl(facts, 'signInUrl', facts.signInUrl);
  const unsubscribe =
    facts.unsubscribeUrl === undefined ? undefined : parseUrl(facts, 'unsubscribeUrl', facts.unsubscribeUrl);
  const view: MailView = {
    lang: language,
    product: oneLine(facts, 'productName', facts.productName),
    signInUrl: url.href,
    inactiveFor: durationInWords(requireInactivity(facts), formatTag),
    next: describeNext(facts, formatTag),
    ...describeLinks(facts, formatTag, url),
    token: describeToken(facts),
    ended: describeEnded(facts, formatTag),
    unsubscribeUrl: unsubscribe?.href ?? '',
  };
  const template = templateFor(facts.kind, language);
  return {
    locale: language,
    subject: template.subject(view),
    text: template.text(view),
    html: template.html(view),
    ...(unsubscribe === undefined ? {} : { unsubscribeUrl: unsubscribe.href }),
  };
}

function describeNext(facts: MailFacts, formatTag: string): MailView['next'] {
  const { kind, upcoming } = facts;
  const required = announcedBy[kind];
  if (upcoming === undefined) {
    if (required !== null || kind === 'address-changed')
      throw new MailTemplateError(kind, 'upcoming', 'is missing');
    return { in: '', date: '', isSuspend: false, isRevoke: false, isDeactivate: false, isDelete: false };
  }
  if (required !== null && upcoming.action !== required) {
    throw new MailTemplateError(kind, 'upcoming.action', `must be "${required}"`);
  }
  if (!Number.isFinite(upcoming.at) || Math.abs(upcoming.at) > MAX_EPOCH_MS) {
    throw new MailTemplateError(kind, 'upcoming.at', 'must be a time in epoch milliseconds');
  }
  if (!Number.isFinite(upcoming.inMs)) {
    throw new MailTemplateError(kind, 'upcoming.inMs', 'must be a number of milliseconds');
  }
  return {
    in: formatIn(upcoming.inMs, formatTag),
    date: formatDeadline(upcoming.at, upcoming.inMs, formatTag),
    isSuspend: upcoming.action === 'suspend',
    isRevoke: upcoming.action === 'revoke',
    isDeactivate: upcoming.action === 'deactivate',
    isDelete: upcoming.action === 'delete',
  };
}

/** Gives empty texts where a mail has no such link: a template checks with `if`. */
function describeLinks(
  facts: MailFacts,
  formatTag: string,
  signIn: URL,
): Pick<MailView, 'keep' | 'reactivation' | 'host' | 'linkHost' | 'hasMoreLinks'> {
  const { keep, reactivation } = facts;
  if (facts.kind === 'reactivation' && reactivation?.lifetimeMs === undefined) {
    throw new MailTemplateError(facts.kind, 'reactivation', 'is missing, or has no lifetime');
  }
  const keepLink = keep && parseUrl(facts, 'keep.url', keep.url);
  const backLink = reactivation && parseUrl(facts, 'reactivation.url', reactivation.url);
  const linkHost = (keepLink ?? backLink)?.host ?? '';
  // This mail has no link to the sign-in page: signing in would be refused
  // before the other link was followed.
  const host = facts.kind === 'reactivation' ? linkHost : signIn.host;
  const lifetimeMs = reactivation?.lifetimeMs;
  return {
    keep: { url: keepLink?.href ?? '', by: keep === undefined ? '' : durationInWords(keep.byMs, formatTag) },
    reactivation: {
      url: backLink?.href ?? '',
      lifetime: lifetimeMs === undefined ? '' : durationInWords(lifetimeMs, formatTag),
    },
    host,
    linkHost: linkHost === host ? '' : linkHost,
    hasMoreLinks: linkHost !== '' && facts.kind !== 'reactivation',
  };
}

function describeToken(facts: MailFacts): MailView['token'] {
  const { kind, token } = facts;
  if (token !== undefined) {
    return { name: oneLine(facts, 'token.name', token.name), isUnused: token.by === 'inactive' };
  }
  if (kind === 'token-ends') throw new MailTemplateError(kind, 'token', 'is missing');
  return { name: '', isUnused: false };
}

function describeEnded(facts: MailFacts, formatTag: string): MailView['ended'] {
  const { kind, ended = { grants: [], count: 0 } } = facts;
  if (kind === 'access-ended' && ended.grants.length === 0) {
    throw new MailTemplateError(kind, 'ended', 'is missing, or has no grants');
  }
  const rest = ended.count - ended.grants.length;
  return {
    isOne: ended.count === 1,
    count: String(ended.count),
    grants: ended.grants.map(({ name, createdAt, lastUsedAt, network = '' }) => ({
      name: oneLine(facts, 'ended.name', name),
      created: formatDay(createdAt, formatTag),
      lastUsed: lastUsedAt === undefined ? '' : formatDay(lastUsedAt, formatTag),
      network,
    })),
    more: rest > 0 ? String(rest) : '',
  };
}

function requireInactivity(facts: MailFacts): number {
  if (!Number.isFinite(facts.inactiveForMs) || facts.inactiveForMs < 0) {
    throw new MailTemplateError(
      facts.kind,
      'inactiveForMs',
      'must be a number of milliseconds, not negative',
    );
  }
  return facts.inactiveForMs;
}

/** Line breaks would reach into mail headers. Invisible and bidirectional controls would disguise text. */
function oneLine(facts: MailFacts, field: string, text: string): string {
  const name = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  if (name === '') throw new MailTemplateError(facts.kind, field, 'is empty');
  return name;
}

function parseUrl(facts: MailFacts, field: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  // A user@host address is a common phishing trick, and no genuine sign-in page needs one.
  if (url === undefined || !isWeb || url.username !== '' || url.password !== '') {
    throw new MailTemplateError(facts.kind, field, 'must be an http(s) URL without credentials');
  }
  return url;
}
