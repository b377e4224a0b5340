/**
 * Makes the links of one mail, anew for each attempt and each address. Only the mail has the
 * token; only its hash is stored.
 */
import type pg from 'pg';
import type { NewLink } from '../domain/links.js';
import type { DestructiveRung } from '../domain/rungs.js';
import { createLinkToken } from '../links/link-token.js';
import { keepUrl, reactivateUrl, requestPageUrl, unsubscribeUrl } from '../links/link-urls.js';
import { writeLink } from '../links/links-table.js';
import { giveUp } from '../process/step-error.js';
import { isOwed } from './owed.js';
import type { MailFacts, MailKind } from './render.js';

export interface MailLinks {
  /** "Keep my account". */
  readonly keep?: {
    readonly rung: DestructiveRung;
    /** The absence that the notice is about; epoch milliseconds. */
    readonly inactiveSince: number;
    readonly round: number;
    readonly announcedAt: number;
    readonly byMs: number;
  };
  /** The page where a reactivation link can be requested. */
  readonly requestPage?: true;
  /** The reactivation link itself. */
  readonly reactivate?: { readonly deactivatedAt: number; readonly lifetimeMs: number };
}

/** People find mails again after years. */
const unsubscribeForMs = 3 * 365 * 86_400_000;

interface LinkDependencies {
  readonly pool: pg.Pool;
  readonly linkBaseUrl?: string;
}

interface LinkedMail {
  readonly identityId: string;
  readonly kind: MailKind;
  readonly links?: MailLinks;
}

/** @returns the links for the mail; empty where this worker has no link base URL */
export async function mintLinks(
  { pool, linkBaseUrl: base }: LinkDependencies,
  { identityId, kind, links = {} }: LinkedMail,
  now: number,
): Promise<Pick<MailFacts, 'keep' | 'reactivation' | 'unsubscribeUrl'>> {
  if (base === undefined) {
    if (kind !== 'reactivation') return {};
    throw giveUp('LinksNotConfigured', 'DORMOUSE_LINK_BASE_URL is not set for this worker');
  }
  const mint = async (link: NewLink): Promise<string> => {
    const { token, hash } = createLinkToken();
    await writeLink(pool, hash, link);
    return token;
  };
  const { keep, reactivate } = links;
  const common = { identityId, createdAt: now };
  if (!isOwed(kind)) {
    const expiresAt = now + unsubscribeForMs;
    const token = await mint({ ...common, purpose: 'unsubscribe', boundAt: now, expiresAt });
    return { unsubscribeUrl: unsubscribeUrl(base, token), ...requestPage(base, links) };
  }
  if (keep !== undefined) {
    const { inactiveSince: boundAt, ...rest } = keep;
    const expiresAt = Math.max(keep.announcedAt, now) + keep.byMs;
    const token = await mint({ ...common, ...rest, purpose: 'keep', boundAt, expiresAt });
    return { keep: { url: keepUrl(base, token), byMs: keep.byMs }, ...requestPage(base, links) };
  }
  if (reactivate === undefined) return requestPage(base, links);
  const { deactivatedAt: boundAt, lifetimeMs } = reactivate;
  const token = await mint({ ...common, purpose: 'reactivate', boundAt, expiresAt: now + lifetimeMs });
  return { reactivation: { url: reactivateUrl(base, token), lifetimeMs } };
}

function requestPage(base: string, { requestPage: isWanted }: MailLinks): Pick<MailFacts, 'reactivation'> {
  return isWanted === true ? { reactivation: { url: requestPageUrl(base) } } : {};
}
