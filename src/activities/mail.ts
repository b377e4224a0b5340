/** The activity that writes to a person. The address is read from Kratos here and stays here (design, invariant 8). */
import type { IdentityApi } from '@ory/client';
import type pg from 'pg';
import type { NoticeOutcome } from '../domain/lifecycle/state.js';
import { MailTemplateError } from '../mail/errors.js';
import { mailHeaders } from '../mail/headers.js';
import { stableMessageId } from '../mail/message-id.js';
import { type MailFacts, type MailKind, type RenderedMail, renderMail } from '../mail/render.js';
import { type MailTransport, TemporaryMailError } from '../mail/transport.js';
import { beginMail, type MailState, settleMail } from '../store/mails.js';
import { type MailAddress, mailAddresses } from './addresses.js';
import type { Clock } from './clock.js';
import { giveUp, tryAgain } from './failures.js';
import { readIdentity, textField } from './kratos-identity.js';
import { type MailLinks, mintLinks } from './mail-links.js';

export interface MailDependencies {
  readonly identities: IdentityApi;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly transport: MailTransport;
  readonly from: string;
  readonly productName: string;
  readonly signInUrl: string;
  /** Public address of the gateway's pages; absent: mails carry no links to them. */
  readonly linkBaseUrl?: string;
}

export interface MailRequest {
  readonly identityId: string;
  readonly kind: MailKind;
  /** The same for every attempt at the same mail. */
  readonly key: string;
  readonly inactiveForMs: number;
  readonly upcoming?: {
    readonly action: 'suspend' | 'revoke' | 'deactivate' | 'delete';
    readonly at: number;
  };
  /** Whether a lost answer to the final dot is worth one duplicate: only where acceptance must be proven. */
  readonly proofNeeded: boolean;
  /** What the mail may let the person do. The links themselves are made where the mail is, and are nowhere else. */
  readonly links?: MailLinks;
}

export interface MailResult {
  readonly outcome: NoticeOutcome;
  /** When the last of the servers' answers came; epoch milliseconds. */
  readonly at: number;
  readonly addresses: number;
}

/** How often a mail whose acceptance must be proven is handed over when the answer is lost each time. */
const ambiguousAttempts = 3;

export function createMailActivities(deps: MailDependencies) {
  return {
    /** Sends one mail to every address of the identity that counts. */
    async sendMail(request: MailRequest): Promise<MailResult> {
      const identity = await readIdentity(deps.identities, request.identityId);
      const addresses = identity === undefined ? [] : mailAddresses(identity);
      const locale = textField(identity?.traits, 'locale');
      const outcomes: MailState[] = [];
      for (const address of addresses) outcomes.push(await sendOnce(deps, request, address, locale));
      const outcome: NoticeOutcome = outcomes.includes('accepted')
        ? 'accepted'
        : outcomes.includes('ambiguous')
          ? 'ambiguous'
          : outcomes.length > 0
            ? 'rejected'
            : 'no-address';
      return { outcome, at: await deps.clock.now(), addresses: addresses.length };
    },
  };
}

export type MailActivities = ReturnType<typeof createMailActivities>;

/** Sends to one address, unless an earlier attempt at the same mail got through. */
async function sendOnce(
  deps: MailDependencies,
  request: MailRequest,
  address: MailAddress,
  locale: string | undefined,
): Promise<MailState> {
  const key = `${request.key}/${address.id}`;
  const messageId = stableMessageId(key, deps.from);
  const now = await deps.clock.now();
  const before = await beginMail(deps.pool, {
    key,
    identityId: request.identityId,
    kind: request.kind,
    messageId,
    now,
  });
  if (before?.state === 'accepted' || before?.state === 'rejected') return before.state;
  const links = await mintLinks(deps, request, now);
  const rendered = render({ ...factsOf(deps, request, locale, now), ...links });
  const sent = await deps.transport
    .send({ to: address.value, messageId, rendered, headers: mailHeaders(request.kind, rendered.locale) })
    .catch((error: unknown) => {
      if (error instanceof TemporaryMailError) {
        throw tryAgain('MailServerUnavailable', `the mail server did not take the mail (${error.phase})`);
      }
      throw error;
    });
  await settleMail(deps.pool, key, sent.outcome, await deps.clock.now());
  if (
    sent.outcome === 'ambiguous' &&
    request.proofNeeded &&
    (before?.attempts ?? 0) + 1 < ambiguousAttempts
  ) {
    throw tryAgain('MailAmbiguous', 'the mail server took the mail and never answered');
  }
  return sent.outcome;
}

function factsOf(
  deps: MailDependencies,
  request: MailRequest,
  locale: string | undefined,
  now: number,
): MailFacts {
  const { upcoming } = request;
  return {
    kind: request.kind,
    ...(locale === undefined ? {} : { locale }),
    productName: deps.productName,
    signInUrl: deps.signInUrl,
    inactiveForMs: request.inactiveForMs,
    ...(upcoming === undefined ? {} : { upcoming: { ...upcoming, inMs: Math.max(0, upcoming.at - now) } }),
  };
}

/** @throws MailTemplate (not retried): the same facts give the same error */
function render(facts: MailFacts): RenderedMail {
  try {
    return renderMail(facts);
  } catch (error) {
    if (error instanceof MailTemplateError) throw giveUp('MailTemplate', error.message);
    throw error;
  }
}
