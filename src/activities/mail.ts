/**
 * The activities that write to a person. They read addresses from Kratos, and addresses stay here
 * (docs/architecture.md, invariant 8). The addresses of a running notice are kept sealed.
 */

import type { IdentityApi } from '@ory/client';
import { activityInfo } from '@temporalio/activity';
import type pg from 'pg';
import { given } from '../domain/given.js';
import type { NoticeOutcome } from '../domain/lifecycle/notice-record.js';
import type { Unverified } from '../domain/mail-choices.js';
import { provenBy } from '../looks/notice-proof.js';
import { everyAddress, type MailAddress, mailAddresses } from '../mail/addresses.js';
import { copyKey, type Delivery, type DeliveryDependencies, deliver, type Letter } from '../mail/delivery.js';
import { type MailLinks, mintLinks } from '../mail/links.js';
import { readAddressHistories, readCopies, readMail } from '../mail/mails-table.js';
import { createNotifiedAddresses, type NotifiedAddresses } from '../mail/notified-addresses-table.js';
import { isOwed, isWithheld } from '../mail/owed.js';
import { isUnsubscribed } from '../mail/preferences-table.js';
import {
  type AnnouncedAction,
  type MailFacts,
  type MailKind,
  type RenderedMail,
  renderMail,
} from '../mail/render.js';
import { MailTemplateError } from '../mail/template-error.js';
import { type KratosIdentity, readIdentity, textField } from '../ory/kratos-identity.js';
import { giveUp, tryAgain, tryOneAgain } from '../process/step-error.js';
import { readToken } from '../tokens/personal/personal-tokens-table.js';
import { readEndedGrants } from '../tokens/refresh/ended-notices-table.js';

export interface MailDependencies extends DeliveryDependencies {
  readonly identities: IdentityApi;
  readonly productName: string;
  readonly signInUrl: string;
  /** Public address of the gateway's pages. Absent: mails have no links to them. */
  readonly linkBaseUrl?: string;
  /** How unconfirmed addresses are used. Default: see {@link mailAddresses}. */
  readonly unverified?: Unverified;
  /** Default: kept in PostgreSQL. */
  readonly notified?: NotifiedAddresses;
}

export interface MailRequest {
  readonly identityId: string;
  readonly kind: MailKind;
  /** The same for every attempt at the same mail. */
  readonly key: string;
  readonly inactiveForMs: number;
  readonly upcoming?: {
    readonly action: AnnouncedAction;
    readonly at: number;
  };
  /** Whether a lost answer to the final dot is worth one duplicate: only where acceptance must be proven. */
  readonly proofNeeded: boolean;
  /**
   * What the mail lets the person do. The links themselves are made with the mail, and are kept nowhere else.
   */
  readonly links?: MailLinks;
  /** The token that the mail is about. Its name is read as the mail is written: a person wrote it. */
  readonly token?: { readonly tokenId: string; readonly by: 'inactive' | 'expiry' };
  /** The notice of ended access that the mail is. Names of devices are read as the mail is written. */
  readonly endedNoticeId?: string;
}

export interface MailResult {
  readonly outcome: NoticeOutcome;
  /** When the last server's answer came; epoch milliseconds. */
  readonly at: number;
  readonly addresses: number;
  /** Number of addresses that the server deferred, although it took the mail for another; absent: none. */
  readonly deferred?: number;
  /** Number of addresses without a mail, because mails to them bounce or are not wanted. Absent: none. */
  readonly withheld?: number;
}

/** A running notice, and what it announces. */
export interface FollowRequest extends Omit<MailRequest, 'upcoming' | 'proofNeeded'> {
  readonly upcoming: NonNullable<MailRequest['upcoming']>;
  /** Keys of the running notices. An address that one of them told is not told again. */
  readonly running: readonly string[];
}

export interface FollowResult {
  /** New addresses that the notice was sent to. */
  readonly added: number;
  /** Former addresses that were told of the change. */
  readonly former: number;
  /** Number of both for which the server did not take the mail. */
  readonly deferred: number;
}

/** How often a mail whose acceptance must be proven is handed over, if the answer is lost each time. */
const handoversForProof = 3;
/** How often a deferred address is tried, once the mail got through to another address. */
const attemptsAtDeferred = 3;
/** Apps and devices that a mail lists; it counts the others. */
const endsListed = 20;

export function createMailActivities(deps: MailDependencies) {
  const notified = deps.notified ?? createNotifiedAddresses(deps.pool);
  return {
    /** Sends one mail to every address of the identity that counts. */
    async sendMail(request: MailRequest): Promise<MailResult> {
      const { identityId, key, kind, proofNeeded } = request;
      const identity = await readIdentity(deps.identities, identityId);
      const all = identity === undefined ? [] : mailAddresses(identity, deps.unverified);
      const { addresses, withheld } = await addressesFor(deps.pool, request, all);
      const write = async () => {
        const links = await mintLinks(deps, request, await deps.clock.now());
        return render({ ...(await factsOf(deps, request, identity)), ...links });
      };
      const handovers = proofNeeded ? handoversForProof : 1;
      const letter: Letter = { identityId, kind, key, render: write, handovers };
      const deliveries = await deliverToAll(deps, letter, addresses);
      const judged = judge(deliveries, proofNeeded);
      const result =
        judged.outcome === 'bounced' ? { ...judged, outcome: await returned(deps, letter) } : judged;
      const at = await deps.clock.now();
      if (kind.startsWith('notice-')) await notified.remember(identityId, key, all.map(bare), at);
      if (withheld === 0) return { ...result, at };
      // There is an address, but no mail reaches it.
      return { ...result, ...(addresses.length === 0 && { outcome: 'rejected' as const }), at, withheld };
    },

    /**
     * Follows a change of address while a notice runs: new addresses get the notice, former ones hear that
     * they no longer belong to the account. Neither counts as notice: only the notice itself proves that.
     */
    async followAddresses(request: FollowRequest): Promise<FollowResult> {
      const { identityId, key, running, upcoming } = request;
      const identity = await readIdentity(deps.identities, identityId);
      if (identity === undefined) return { added: 0, former: 0, deferred: 0 };
      const told = mailAddresses(identity, deps.unverified);
      const change = await notified.compare(identityId, running, {
        told: told.map(bare),
        known: everyAddress(identity),
      });
      const added = told.filter(({ value }) => change.added.includes(value));
      const tell = async (kind: MailKind, name: string, addresses: readonly MailAddress[]) => {
        if (addresses.length === 0) return 0;
        const write = async () => render(await factsOf(deps, { ...request, kind }, identity));
        const letter: Letter = { identityId, kind, key: `${key}/${name}`, render: write, handovers: 1 };
        const deliveries = await deliverToAll(deps, letter, addresses);
        insist(deliveries, { gotThrough: true });
        return deliveries.filter(({ state }) => state === 'deferred').length;
      };
      const late = await tell(request.kind, 'late', added);
      await notified.remember(identityId, key, added.map(bare), await deps.clock.now());
      // A sign-in is enough to undo a revocation, so former addresses are not written to.
      const former = upcoming.action === 'revoke' ? [] : change.former;
      // guard: the former address is told
      const unheard = await tell('address-changed', 'former', former);
      for (const { id } of change.former) await notified.markTold(identityId, id, await deps.clock.now());
      return { added: added.length, former: former.length, deferred: late + unheard };
    },
  };
}

export type MailActivities = ReturnType<typeof createMailActivities>;

/**
 * The addresses that a mail goes to. An address that an earlier attempt reached stays
 * included, whatever bounced since.
 */
async function addressesFor(
  pool: pg.Pool,
  { identityId, kind, key }: MailRequest,
  all: readonly MailAddress[],
): Promise<{ addresses: readonly MailAddress[]; withheld: number }> {
  const histories = await readAddressHistories(pool, identityId);
  // guard: one click is remembered
  const isRefused = !isOwed(kind) && (await isUnsubscribed(pool, identityId));
  const addresses: MailAddress[] = [];
  for (const address of all) {
    const history = histories.get(address.id);
    const isKept = isRefused || (history !== undefined && isWithheld(history, kind));
    if (!isKept || (await readMail(pool, copyKey({ key }, address))) !== undefined) addresses.push(address);
  }
  return { addresses, withheld: all.length - addresses.length };
}

const bare = ({ value }: MailAddress) => value;

/**
 * Tries every address, so that a failing one never keeps the mail from the others. A
 * server that is down is tried once.
 */
async function deliverToAll(
  deps: DeliveryDependencies,
  letter: Letter,
  addresses: readonly MailAddress[],
): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  let isAway = false;
  for (const address of addresses) {
    const delivery: Delivery = isAway
      ? await known(deps, letter, address)
      : await deliver(deps, letter, address);
    isAway ||= delivery.failure?.concernsServer === true;
    deliveries.push(delivery);
  }
  return deliveries;
}

/** The known outcome of a copy, without another attempt. */
async function known(
  { pool }: DeliveryDependencies,
  letter: Letter,
  address: MailAddress,
): Promise<Delivery> {
  const record = await readMail(pool, copyKey(letter, address));
  const state = record === undefined || record.state === 'sending' ? 'deferred' : record.state;
  const isFinal =
    state !== 'deferred' && (state !== 'ambiguous' || (record?.handovers ?? 0) >= letter.handovers);
  return { state, attempts: record?.attempts ?? 0, isFinal };
}

/** @throws MailServerUnavailable, MailCertificate, MailAmbiguous when another attempt is worthwhile */
function judge(deliveries: readonly Delivery[], proofNeeded: boolean): Omit<MailResult, 'at'> {
  const has = (wanted: Delivery['state']) => deliveries.some(({ state }) => state === wanted);
  // guard: mail: acceptance of a notice of deletion is proven
  const gotThrough = has('accepted') || (!proofNeeded && has('ambiguous'));
  insist(deliveries, { gotThrough });
  const isUnproven = deliveries.some(({ state, isFinal }) => state === 'ambiguous' && !isFinal);
  if (isUnproven && !gotThrough) {
    throw tryAgain('MailAmbiguous', 'the mail server took the mail and never answered');
  }
  const deferred = deliveries.filter(({ state }) => state === 'deferred').length;
  return {
    outcome: outcomeOf(deliveries.map(({ state }) => state)),
    addresses: deliveries.length,
    ...(deferred === 0 ? {} : { deferred }),
  };
}

/** The outcome of a mail that bounced before this attempt. */
async function returned({ pool }: DeliveryDependencies, letter: Letter): Promise<NoticeOutcome> {
  const copies = await readCopies(pool, letter.identityId, [letter.key]);
  return provenBy(copies.get(letter.key) ?? []);
}

/** The outcome of a mail: the best outcome of its copies. */
function outcomeOf(states: readonly Delivery['state'][]): NoticeOutcome {
  if (states.length === 0) return 'no-address';
  const best = (['accepted', 'ambiguous', 'bounced'] as const).find((state) => states.includes(state));
  return best ?? 'rejected';
}

/**
 * Asks for another attempt while addresses are deferred. Once the mail got through elsewhere, only for a few
 * attempts, so that one mailbox never parks the step.
 */
function insist(deliveries: readonly Delivery[], { gotThrough }: { gotThrough: boolean }): void {
  const deferred = deliveries.filter(({ state }) => state === 'deferred');
  if (deferred.length === 0) return;
  const failure = deferred.find(({ failure }) => failure !== undefined)?.failure;
  const isAway = failure?.concernsServer === true;
  const wasTried = deferred.some(({ attempts }) => attempts >= attemptsAtDeferred);
  // guard: one mailbox never parks the step
  if (gotThrough && ((wasTried && !isAway) || isLastAttempt())) return;
  const type = failure?.concernsCertificate === true ? 'MailCertificate' : 'MailServerUnavailable';
  const where = failure === undefined ? 'earlier' : failure.message;
  const message = `the mail server did not take the mail for ${deferred.length} of ${deliveries.length}: ${where}`;
  // A server that answers for a full mailbox is there.
  const isOfMailbox = !isAway && failure?.smtpCode !== undefined;
  throw isOfMailbox ? tryOneAgain(type, message) : tryAgain(type, message);
}

/** Whether Temporal will not retry after this attempt. */
function isLastAttempt(): boolean {
  try {
    const { attempt, retryPolicy } = activityInfo();
    const most = retryPolicy?.maximumAttempts ?? 0;
    return most > 0 && attempt >= most;
  } catch {
    // Called outside of Temporal.
    return false;
  }
}

async function factsOf(
  deps: MailDependencies,
  request: Pick<MailRequest, 'kind' | 'inactiveForMs' | 'upcoming' | 'token' | 'endedNoticeId'>,
  identity: KratosIdentity | undefined,
): Promise<MailFacts> {
  const { upcoming, endedNoticeId } = request;
  const ended =
    endedNoticeId === undefined ? undefined : await readEndedGrants(deps.pool, endedNoticeId, endsListed);
  const token = request.token && (await readToken(deps.pool, request.token.tokenId));
  const now = await deps.clock.now();
  const locale = textField(identity?.traits, 'locale');
  return {
    kind: request.kind,
    ...given({ locale, ended }),
    productName: deps.productName,
    signInUrl: deps.signInUrl,
    inactiveForMs: request.inactiveForMs,
    ...(request.token && token && { token: { name: token.name, by: request.token.by } }),
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
