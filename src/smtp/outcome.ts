/** Judges the outcome of a message from the server's answers and their time. Pure. */
import { given } from '../domain/given.js';
import { TemporaryMailError } from './errors.js';
import type { Attempt, SmtpReply } from './session.js';

export type SendOutcome =
  /** The server took the message over for its recipient (2xx after the final dot). */
  | { outcome: 'accepted'; messageId: string; smtpCode: number; enhancedCode?: string; queueId?: string }
  /** The final dot was sent and no answer came: the mail may or may not arrive. */
  | { outcome: 'ambiguous'; messageId: string }
  /** A permanent refusal of the recipient or the message: sending it again does not help. */
  | { outcome: 'rejected'; smtpCode: number; enhancedCode?: string };

/**
 * Permanent by number, but about this client and not about the mail: unknown commands, sequence, missing
 * authentication or encryption (RFC 5321, 4.2.2; RFC 4954, 6; RFC 3207, 4). An operator can fix the cause,
 * so the mail is sent again later.
 */
const operatorCodes = new Set([500, 502, 503, 504, 530, 534, 535, 538]);

/**
 * @throws {@link TemporaryMailError} when the server certainly did not accept
 * the message and may do so later.
 */
export function judge(attempt: Attempt, messageId: string): SendOutcome {
  const { reply } = attempt;
  // guard: mail: a lost answer to the final dot is ambiguous, not accepted and not failed
  if (attempt.handedOver && (reply === undefined || reply.code < 200 || isIntermediate(reply))) {
    return { outcome: 'ambiguous', messageId };
  }
  if (attempt.handedOver && reply !== undefined && reply.code < 300) {
    const { code: smtpCode, enhancedCode, queueId } = reply;
    return {
      outcome: 'accepted',
      messageId,
      smtpCode,
      ...given({ enhancedCode, queueId }),
    };
  }
  if (reply !== undefined && isRejection(reply)) {
    const { code: smtpCode, enhancedCode } = reply;
    return { outcome: 'rejected', smtpCode, ...given({ enhancedCode }) };
  }
  throw new TemporaryMailError(reply?.phase ?? (attempt.begun ? 'message' : 'mail-from'), {
    ...(reply === undefined ? {} : { smtpCode: reply.code }),
    ...(reply?.enhancedCode === undefined ? {} : { enhancedCode: reply.enhancedCode }),
    ...given({ reason: attempt.reason }),
    ...(reply?.isOfServer && { isOfServer: true }),
  });
}

/**
 * Whether the server had dropped a kept connection before this message began. Nothing of it was sent, so
 * another connection may carry it at once.
 */
export function wasStale(attempt: Attempt): boolean {
  // guard: mail: what may have been handed over is not sent again on another connection
  return !attempt.begun && (attempt.reply === undefined || attempt.reply.code === 421);
}

function isIntermediate(reply: SmtpReply): boolean {
  return reply.code >= 300 && reply.code < 400;
}

/**
 * 5xx at MAIL FROM is about the sender's configuration. From RCPT TO on it is about the recipient or the
 * message, unless the reply is about the server: then every mail would be refused, so this mail counts as not
 * sent yet, and never as undeliverable.
 */
function isRejection(reply: SmtpReply): boolean {
  // guard: mail: a refusal in which the server speaks of itself is none of the recipient
  if (reply.code < 500 || reply.isOfServer) return false;
  // guard: mail: a refusal whose code says "not now" is not for good
  if (reply.enhancedCode?.startsWith('4.')) return false;
  return reply.phase !== 'mail-from' && !operatorCodes.has(reply.code);
}
