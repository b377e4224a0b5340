/**
 * One connection to the mail server, over nodemailer's SMTPConnection rather than its pool. The pool
 * reports an error without saying whether the message was handed over (`ETIMEDOUT`/`ECONNECTION` with
 * command `CONN`, before DATA as well as after the final dot), and requeues messages when connections
 * close. Here the message is our own stream: nodemailer reads it only after the server's 354, and writes
 * the final dot only after its `end`.
 */

import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { given } from '../domain/given.js';
import { isCertificateReason, type MailPhase, TemporaryMailError } from './errors.js';
import type { SmtpServer } from './url.js';
import { enhancedCodeOf, isOfServer, isRefusalOfServer } from './whose-trouble.js';

/** Bounds in milliseconds. */
export interface SmtpTimeouts {
  /** From the DNS lookup to the greeting. */
  connectionMs: number;
  /** From the established connection to the greeting, within `connectionMs`. */
  greetingMs: number;
  /** Longest silence of the server at any later moment. */
  socketMs: number;
  /** One step (connecting, signing in, handing a message over), however slowly the server answers. */
  totalMs: number;
}

/** A message ready for the wire. */
export interface WireMessage {
  from: string;
  to: string;
  content: Buffer;
  /** Quoted in delivery reports (RFC 3461, ENVID). */
  envelopeId?: string;
}

/** What is known after an attempt to hand a message over. */
export interface Attempt {
  /** The server answered 354 and at least one byte of the message may have left. */
  begun: boolean;
  /**
   * The final dot may have left: from here on the server may deliver the mail without an answer reaching us.
   */
  handedOver: boolean;
  /** The server's last reply to this message, where there was one. */
  reply?: SmtpReply;
  /** A bare code such as `ECONNECTION`, where there was no reply. */
  reason?: string;
}

export interface SmtpReply {
  code: number;
  enhancedCode?: string;
  /** The token under which the server says that it queued the message. */
  queueId?: string;
  /** The step that the server answered. */
  phase: MailPhase;
  /** The reply is about the server and the connection, not about the recipient. */
  isOfServer?: true;
}

type Done<T> = (error: unknown, value?: T) => void;

export class SmtpSession {
  private readonly connection: SMTPConnection;
  private dead = false;
  /** Messages that the server accepted on this connection. */
  messages = 0;

  private constructor(
    server: SmtpServer,
    private readonly timeouts: SmtpTimeouts,
  ) {
    this.connection = new SMTPConnection({
      host: server.host,
      port: server.port,
      secure: server.secure,
      requireTLS: server.requireTls,
      ignoreTLS: server.ignoreTls,
      tls: { rejectUnauthorized: server.verifyCertificate },
      connectionTimeout: timeouts.connectionMs,
      dnsTimeout: timeouts.connectionMs,
      greetingTimeout: timeouts.greetingMs,
      socketTimeout: timeouts.socketMs,
      logger: false,
    });
    // An idle connection that breaks also emits 'error'. Without a listener that would end the process.
    this.connection.on('error', () => this.markDead());
    this.connection.on('end', () => this.markDead());
  }

  /**
   * Connects, greets, secures and signs in.
   *
   * @throws {@link TemporaryMailError} at `connect`, `greeting`, `tls` or `auth`: none of
   * these is the recipient's fault.
   */
  static async open(server: SmtpServer, timeouts: SmtpTimeouts): Promise<SmtpSession> {
    const session = new SmtpSession(server, timeouts);
    const { connection } = session;
    try {
      await session.step<void>((done) => connection.connect((error) => done(error)));
    } catch (error) {
      session.end();
      throw temporary(setupPhase(error, connection.stage), error);
    }
    const { auth } = server;
    if (auth === undefined || !connection.allowsAuth) return session;
    try {
      await session.step<boolean>((done) => connection.login({ ...auth }, done));
    } catch (error) {
      session.end();
      throw temporary('auth', error);
    }
    return session;
  }

  /** Whether the connection may still be used, as far as this side has noticed. */
  get isAlive(): boolean {
    return !this.dead;
  }

  /** Hands a message over. Never throws: the result holds the outcome. */
  async deliver(message: WireMessage): Promise<Attempt> {
    // The whole message is one chunk, so 'end' follows directly after its only read.
    const source = Readable.from([message.content], { objectMode: false });
    let handedOver = false;
    source.once('end', () => {
      handedOver = true;
    });
    const envelope = {
      from: message.from,
      to: [message.to],
      size: message.content.length,
      // Used where the server offers DSN: it reports failures and delays, with the headers and this name.
      ...(message.envelopeId && {
        dsn: { envid: message.envelopeId, ret: 'HDRS' as const, notify: ['FAILURE', 'DELAY'] },
      }),
    };
    try {
      const info = await this.step<{ response: string }>((done) =>
        this.connection.send(envelope, source, done),
      );
      this.messages += 1;
      return { begun: true, handedOver, ...replyOf(info?.response, 'message') };
    } catch (error) {
      const phase = phaseOf(error, source.readableDidRead);
      const { reply } = replyOf(field(error, 'response'), phase);
      // A positive code in an error is an unexpected answer, not the answer to this message.
      const refusal = reply !== undefined && reply.code >= 400 ? { reply } : {};
      return { begun: source.readableDidRead, handedOver, ...refusal, reason: reasonOf(error) };
    }
  }

  /** Sends QUIT where the conversation is in order, and closes in any case. */
  end(): void {
    if (this.dead) this.connection.close();
    else this.connection.quit();
    // A server that never answers QUIT must not keep the process from ending.
    if (this.connection._socket) this.connection._socket.unref();
    this.dead = true;
  }

  /** Closes the connection without QUIT, for conversations that are out of step. */
  drop(): void {
    this.dead = true;
    this.connection.close();
  }

  private markDead(): void {
    this.dead = true;
  }

  /**
   * Runs one callback of nodemailer with a time limit. Also settles where
   * nodemailer only emits `error` or `end`.
   */
  private step<T>(start: (done: Done<T>) => void): Promise<T | undefined> {
    const { connection } = this;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        settle(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' }));
        this.drop();
      }, this.timeouts.totalMs);
      const onError = (error: unknown): void => settle(error);
      // nodemailer emits 'end' before its callback with the reason, so wait for the callback.
      const onEnd = (): void => {
        setImmediate(() => settle(Object.assign(new Error('closed'), { code: 'ECONNECTION' })));
      };
      const settle: Done<T> = (error, value) => {
        clearTimeout(timer);
        connection.off('error', onError);
        connection.off('end', onEnd);
        if (error === undefined || error === null) resolve(value);
        else reject(error);
      };
      connection.once('error', onError);
      connection.once('end', onEnd);
      start(settle);
    });
  }
}

function setupPhase(error: unknown, stage: 'init' | 'connected'): MailPhase {
  const command = field(error, 'command');
  if (isCertificateReason(reasonOf(error))) return 'tls';
  if (field(error, 'code') === 'ETLS' || command === 'STARTTLS') return 'tls';
  return stage === 'connected' ? 'greeting' : 'connect';
}

/**
 * Which step failed. All connection errors name the command `CONN`, and only the
 * message stream shows how far it came.
 */
function phaseOf(error: unknown, begun: boolean): MailPhase {
  if (begun) return 'message';
  const command = field(error, 'command');
  if (command === 'RCPT TO') return 'rcpt-to';
  return command === 'DATA' ? 'data' : 'mail-from';
}

function replyOf(response: unknown, phase: MailPhase): { reply?: SmtpReply } {
  if (typeof response !== 'string') return {};
  const code = /^[2-5]\d\d/u.exec(response)?.[0];
  if (code === undefined) return {};
  const enhancedCode = enhancedCodeOf(response);
  const queueId = queueIdOf(response);
  return {
    reply: {
      code: Number(code),
      phase,
      ...given({ enhancedCode, queueId }),
      ...(speaksOfServer(Number(code), response, enhancedCode) && { isOfServer: true as const }),
    },
  };
}

/** A 4xx that blames the server by its code; a 5xx also by its text. */
function speaksOfServer(code: number, response: string, enhancedCode: string | undefined): boolean {
  if (code >= 500) return isRefusalOfServer(response, enhancedCode);
  return enhancedCode?.startsWith('5.') === true && isOfServer(enhancedCode);
}

/** How Postfix and Sendmail (`queued as X`), Exim (`id=X`), and SES (`Ok X`) name an accepted message. */
const queueIdPatterns = [
  /\bqueued as ([A-Za-z0-9-]{4,64})(?![\w@.-])/iu,
  /\bid=([A-Za-z0-9-]{6,64})(?![\w@.-])/u,
  /\bOk:? ([A-Za-z0-9-]{16,80})$/iu,
];

/**
 * The rest of the text is not kept: replies quote addresses. A token contains a
 * digit, so that it is not a word.
 */
function queueIdOf(response: string): string | undefined {
  const text = response.trim();
  const found = queueIdPatterns.map((pattern) => pattern.exec(text)?.[1]).find((id) => id !== undefined);
  return found !== undefined && /\d/u.test(found) ? found : undefined;
}

function temporary(phase: MailPhase, error: unknown): TemporaryMailError {
  const { reply } = replyOf(field(error, 'response'), phase);
  return new TemporaryMailError(phase, {
    ...(reply === undefined ? {} : { smtpCode: reply.code }),
    reason: reasonOf(error),
  });
}

/** Only bare upper-case codes are passed on: everything else in a nodemailer error may quote an address. */
function reasonOf(error: unknown): string {
  for (const name of ['originalCode', 'code'] as const) {
    const value = field(error, name);
    if (typeof value === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/u.test(value)) return value;
  }
  return 'UNKNOWN';
}

function field(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
