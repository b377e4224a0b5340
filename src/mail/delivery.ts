/** Hands one mail to one address, at most once, and records the server's answer. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { assertUnreachable } from '../domain/assert.js';
import type { MailProvider } from '../domain/mail-choices.js';
import type { Clock } from '../process/clock.js';
import { tryAgain } from '../process/step-error.js';
import { stableMessageId } from '../smtp/message-id.js';
import { type MailTransport, type SendOutcome, TemporaryMailError } from '../smtp/transport.js';
import type { MailAddress } from './addresses.js';
import { isEverybodyRefused } from './alike.js';
import { mailHeaders } from './headers.js';
import {
  claimMail,
  claimMs,
  dropClaim,
  keepClaim,
  type MailProof,
  readRecentMails,
  type SettledState,
  settleMail,
} from './mails-table.js';
import { providerHeaders } from './providers/provider.js';
import type { RenderedMail } from './render.js';
import type { MailKind } from './templates.js';

export interface DeliveryDependencies {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly transport: MailTransport;
  readonly from: string;
  /**
   * The provider whose mail server this is: mails carry their name in its tags. Default: no particular one.
   */
  readonly provider?: MailProvider;
}

export interface Letter {
  readonly identityId: string;
  readonly kind: MailKind | 'month-report';
  /** The same for every attempt at the same mail. */
  readonly key: string;
  /** Called anew for each attempt and address: each has links of its own. */
  readonly render: () => Promise<RenderedMail>;
  /** How many lost answers to the final dot are allowed for a copy. */
  readonly handovers: number;
}

export interface Delivery {
  readonly state: SettledState;
  readonly attempts: number;
  /** Whether it will not be handed over again. */
  readonly isFinal: boolean;
  /** Why it was deferred, where this attempt tried to send. */
  readonly failure?: TemporaryMailError;
}

/** The key of the copy for one address. */
export const copyKey = (letter: Pick<Letter, 'key'>, address: MailAddress) => `${letter.key}/${address.id}`;

/** Another attempt took the mail over meanwhile. */
class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';
}

/**
 * Sends to one address, unless an earlier attempt at the same mail succeeded. Trouble
 * with the server is in the result.
 * @throws MailUnderWay while another attempt is sending it
 */
export async function deliver(
  deps: DeliveryDependencies,
  letter: Letter,
  address: MailAddress,
): Promise<Delivery> {
  const key = copyKey(letter, address);
  const claim = { key, claim: randomUUID() };
  const messageId = stableMessageId(key, deps.from);
  const { identityId, kind, handovers } = letter;
  const now = await deps.clock.now();
  const begun = await claimMail(deps.pool, {
    ...claim,
    requestKey: letter.key,
    identityId,
    kind,
    messageId,
    handovers,
    now,
  });
  if (begun.kind === 'busy') throw underWay(begun.forMs);
  if (begun.kind === 'settled') {
    return { state: begun.state, attempts: begun.attempts, isFinal: true };
  }
  const answered = await handOver(deps, claim, { letter, address, messageId });
  // guard: a refusal that everybody gets is nobody’s
  const sent = await doubted(deps, answered, identityId);
  const failure = sent instanceof TemporaryMailError ? { failure: sent } : {};
  const proof = proofOf(sent, deps.transport.host);
  await settleMail(deps.pool, claim, proof, await deps.clock.now());
  const { state } = proof;
  const worthAnother = state === 'deferred' || (state === 'ambiguous' && begun.handovers + 1 < handovers);
  return { state, attempts: begun.attempts, isFinal: !worthAnother, ...failure };
}

/** A refusal that every recipient gets is the server's trouble, so no notice is lost because of it. */
async function doubted(
  { pool, clock }: DeliveryDependencies,
  sent: SendOutcome | TemporaryMailError,
  identityId: string,
): Promise<SendOutcome | TemporaryMailError> {
  if (sent instanceof TemporaryMailError || sent.outcome !== 'rejected') return sent;
  const { smtpCode, enhancedCode } = sent;
  const recent = await readRecentMails(pool, await clock.now());
  if (!isEverybodyRefused({ replyCode: smtpCode, enhancedCode, identityId }, recent)) return sent;
  return new TemporaryMailError('rcpt-to', {
    smtpCode,
    ...(enhancedCode !== undefined && { enhancedCode }),
    isOfServer: true,
  });
}

async function handOver(
  { pool, transport, provider }: DeliveryDependencies,
  claim: { key: string; claim: string },
  { letter, address, messageId }: { letter: Letter; address: MailAddress; messageId: string },
): Promise<SendOutcome | TemporaryMailError> {
  const { kind } = letter;
  const keep = () => keepClaim(pool, claim.key, claim.claim);
  const keeping = setInterval(() => void keep().catch(() => undefined), claimMs / 3);
  try {
    const rendered = await letter.render();
    return await transport.send(
      {
        to: address.value,
        messageId,
        rendered,
        headers: {
          ...mailHeaders(kind, rendered),
          ...(provider && providerHeaders(provider, messageId)),
        },
      },
      {
        // A suspended process may resume after another one took over, so it checks
        // its claim again before it sends.
        beforeHandOver: async () => {
          // guard: who lost the claim does not send
          if (!(await keep())) throw new ClaimLostError('the mail is in other hands');
        },
      },
    );
  } catch (error) {
    if (error instanceof TemporaryMailError) return error;
    if (error instanceof ClaimLostError) throw underWay(claimMs);
    await dropClaim(pool, claim).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(keeping);
  }
}

function underWay(forMs: number) {
  return tryAgain('MailUnderWay', 'another attempt is handing the mail over', forMs);
}

function proofOf(sent: SendOutcome | TemporaryMailError, server: string): MailProof {
  if (sent instanceof TemporaryMailError) {
    return { state: 'deferred', replyCode: sent.smtpCode, enhancedCode: sent.enhancedCode };
  }
  switch (sent.outcome) {
    case 'accepted':
      return {
        state: 'accepted',
        replyCode: sent.smtpCode,
        enhancedCode: sent.enhancedCode,
        queueId: sent.queueId,
        server,
      };
    case 'ambiguous':
      return { state: 'ambiguous' };
    case 'rejected':
      return { state: 'rejected', replyCode: sent.smtpCode, enhancedCode: sent.enhancedCode };
    default:
      return assertUnreachable(sent);
  }
}
