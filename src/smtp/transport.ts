/**
 * Sends mail over SMTP on a few kept connections, and reports the outcome of each. Logs nothing: every
 * SMTP log line holds an address.
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import pLimit, { type LimitFunction } from 'p-limit';
import { inCall } from '../process/tracing.js';
import { MailConfigError, TemporaryMailError } from './errors.js';
import { nameOfMail } from './mail-name.js';
import { judge, type SendOutcome, wasStale } from './outcome.js';
import { checkReturnPath, returnPathFor } from './return-path.js';
import { type Attempt, SmtpSession, type SmtpTimeouts, type WireMessage } from './session.js';
import { parseSmtpUrl, type SmtpServer } from './url.js';

export { MailConfigError, type MailPhase, TemporaryMailError } from './errors.js';
export type { SendOutcome } from './outcome.js';
export type { SmtpTimeouts } from './session.js';

export interface MailContent {
  /** One line, without control characters. */
  subject: string;
  text: string;
  html: string;
  attachments?: readonly MailAttachment[];
}

export interface MailAttachment {
  /** Letters, digits, dots and hyphens. */
  readonly filename: string;
  readonly contentType: string;
  readonly content: string;
}

export interface OutgoingMail {
  /** One bare address; the only place where it appears. */
  to: string;
  /** With angle brackets; see `stableMessageId`. */
  messageId: string;
  rendered: MailContent;
  headers?: Record<string, string>;
}

export interface SendOptions {
  /**
   * Called when a connection is ready and nothing of the message was sent yet. May be called again for a
   * second connection. An error that it throws ends the send.
   */
  beforeHandOver?: () => Promise<void>;
}

export interface MailTransportOptions {
  /** See `parseSmtpUrl`. */
  smtpUrl: string;
  /** The From address, with or without display name. */
  from: string;
  /**
   * Where bounces return to, each mail with an address of its own: see
   * `return-path.ts`. Default: the From address.
   */
  returnPath?: string;
  /** Milliseconds. Defaults: connection 10 s, greeting 10 s, socket 30 s, total 90 s. */
  timeouts?: Partial<SmtpTimeouts>;
  /** Connections at a time. Default 5; further sends wait. */
  maxConnections?: number;
  /** Messages on one connection before a new one is opened. Default 100. */
  maxMessagesPerConnection?: number;
  /** How long an unused connection is kept, in milliseconds. Default 15 s. */
  idleMs?: number;
}

const defaultTimeouts: SmtpTimeouts = {
  connectionMs: 10_000,
  greetingMs: 10_000,
  socketMs: 30_000,
  totalMs: 90_000,
};

/** One address, without any character that could end or extend an SMTP command or an address list. */
const SINGLE_ADDRESS = /^[^\s@<>,;:"()[\]\\\p{Cc}\p{Cf}]+@[^\s@<>,;:"()[\]\\\p{Cc}\p{Cf}]+$/u;

interface IdleSession {
  session: SmtpSession;
  timer: NodeJS.Timeout;
}

export class MailTransport {
  private readonly server: SmtpServer;
  private readonly timeouts: SmtpTimeouts;
  private readonly limit: LimitFunction;
  private readonly idle: IdleSession[] = [];
  private isClosed = false;

  /** @throws {@link MailConfigError} on an unusable SMTP URL. */
  constructor(private readonly options: MailTransportOptions) {
    this.server = parseSmtpUrl(options.smtpUrl);
    if (options.returnPath !== undefined) checkReturnPath(options.returnPath);
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.limit = pLimit(options.maxConnections ?? 5);
  }

  /**
   * Sends one mail, once. The only attempt that is repeated is one on a kept connection that the server had
   * dropped before a byte of the message was sent.
   *
   * @throws {@link TemporaryMailError} when the server certainly did not accept the mail and may do so later.
   */
  async send(mail: OutgoingMail, { beforeHandOver }: SendOptions = {}): Promise<SendOutcome> {
    // An address that no server could route gets the answer that a server would give (RFC
    // 5321, 4.2.2; RFC 3463, X.1.3).
    if (!SINGLE_ADDRESS.test(mail.to)) return { outcome: 'rejected', smtpCode: 553, enhancedCode: '5.1.3' };
    const message = await this.compose(mail);
    return inCall('SMTP send', {}, async (span) => {
      const sent = await this.limit(async () =>
        judge(await this.attempt(message, beforeHandOver), mail.messageId),
      );
      span?.set({ 'dormouse.mail.outcome': sent.outcome });
      return sent;
    });
  }

  /** The server that mails are handed to. */
  get host(): string {
    return this.server.host;
  }

  /**
   * Connects and signs in, sends nothing.
   *
   * @throws {@link TemporaryMailError} with the phase in which that failed.
   */
  async verify(): Promise<void> {
    this.assertOpen();
    const session = await SmtpSession.open(this.server, this.timeouts);
    session.end();
  }

  /** Closes kept connections. Mails being sent are finished; waiting and later ones fail at `closed`. */
  close(): void {
    this.isClosed = true;
    this.endIdle();
  }

  private async attempt(message: WireMessage, ready: SendOptions['beforeHandOver']): Promise<Attempt> {
    this.assertOpen();
    const kept = this.takeIdle();
    if (kept !== undefined) {
      const attempt = await this.deliverOn(kept, message, ready);
      if (!wasStale(attempt)) return attempt;
      // The server has probably closed the other kept connections too.
      this.endIdle();
    }
    return this.deliverOn(await SmtpSession.open(this.server, this.timeouts), message, ready);
  }

  private async deliverOn(
    session: SmtpSession,
    message: WireMessage,
    ready: SendOptions['beforeHandOver'],
  ): Promise<Attempt> {
    try {
      await ready?.();
    } catch (error) {
      session.end();
      throw error;
    }
    const attempt = await session.deliver(message);
    const { reply } = attempt;
    if (attempt.handedOver && reply !== undefined && reply.code < 300) this.keep(session);
    // A refusal of the envelope or of the whole message leaves the conversation in
    // order. Any other failure may not.
    else if (reply !== undefined && (attempt.handedOver || !attempt.begun)) session.end();
    else session.drop();
    return attempt;
  }

  private keep(session: SmtpSession): void {
    const isWorn = session.messages >= (this.options.maxMessagesPerConnection ?? 100);
    if (this.isClosed || isWorn || !session.isAlive) {
      session.end();
      return;
    }
    const timer = setTimeout(() => {
      const index = this.idle.findIndex((entry) => entry.session === session);
      if (index >= 0) this.idle.splice(index, 1);
      session.end();
    }, this.options.idleMs ?? 15_000);
    timer.unref();
    this.idle.push({ session, timer });
  }

  private takeIdle(): SmtpSession | undefined {
    for (let entry = this.idle.pop(); entry !== undefined; entry = this.idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.session.isAlive) return entry.session;
    }
    return undefined;
  }

  private endIdle(): void {
    for (const { session, timer } of this.idle.splice(0)) {
      clearTimeout(timer);
      session.end();
    }
  }

  private assertOpen(): void {
    if (this.isClosed) throw new TemporaryMailError('closed', { reason: 'transport closed' });
  }

  private async compose(mail: OutgoingMail): Promise<WireMessage> {
    const { rendered } = mail;
    const node = new MailComposer({
      from: this.options.from,
      // An object, so that its content is not parsed as a list of addresses.
      to: { name: '', address: mail.to },
      subject: rendered.subject,
      text: rendered.text,
      html: rendered.html,
      messageId: mail.messageId,
      headers: mail.headers ?? {},
      attachments: [...(rendered.attachments ?? [])],
      disableFileAccess: true,
      disableUrlAccess: true,
    }).compile();
    const { from, to } = node.getEnvelope();
    const recipient = to[0];
    if (typeof from !== 'string' || from === '')
      throw new MailConfigError('the sender address of mail is invalid');
    if (recipient === undefined || to.length !== 1)
      throw new MailConfigError('a mail has exactly one recipient');
    const { returnPath } = this.options;
    return {
      from: returnPath === undefined ? from : returnPathFor(returnPath, mail.messageId),
      to: recipient,
      content: await node.build(),
      ...nameInEnvelope(mail.messageId),
    };
  }
}

/**
 * The name of the mail as envelope identifier. A server that supports it (RFC 3461) quotes it in its report.
 */
function nameInEnvelope(messageId: string): Pick<WireMessage, 'envelopeId'> {
  const envelopeId = nameOfMail(messageId);
  return envelopeId === undefined ? {} : { envelopeId };
}

/**
 * A transport for the configured server. Opens no connection until the first mail.
 *
 * @throws {@link MailConfigError} on an unusable SMTP URL.
 */
export function createMailTransport(options: MailTransportOptions): MailTransport {
  return new MailTransport(options);
}
