/**
 * What can go wrong with a mail server, typed by who must act. Imports nothing; no message here ever
 * holds an address or a credential.
 */

/** The mail configuration is unusable, and the operator has to fix it. */
export class MailConfigError extends Error {
  override readonly name = 'MailConfigError';
}

/** The step of the SMTP conversation in which a send ended. */
export type MailPhase =
  | 'closed'
  | 'connect'
  | 'greeting'
  | 'tls'
  | 'auth'
  | 'mail-from'
  | 'rcpt-to'
  | 'data'
  | 'message';

/** Steps before a recipient is named: a failure there concerns every mail. */
const serverPhases: readonly MailPhase[] = ['closed', 'connect', 'greeting', 'tls', 'auth'];

/** OpenSSL's and Node's codes for an untrusted certificate. */
const certificateReasons = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/u;

/** @param reason - A bare code, such as `CERT_HAS_EXPIRED`. */
export function isCertificateReason(reason: string | undefined): boolean {
  return certificateReasons.test(reason ?? '');
}

/**
 * A temporary failure: the server certainly did not accept the mail, and the
 * same mail may be sent again later.
 */
export class TemporaryMailError extends Error {
  override readonly name = 'TemporaryMailError';
  /** The server's reply code, where there was a reply. */
  readonly smtpCode?: number;
  readonly enhancedCode?: string;
  /** Whether the failure is about the server, and so the same for every recipient. */
  readonly concernsServer: boolean;
  /** Whether the server's certificate was not trusted. */
  readonly concernsCertificate: boolean;

  /**
   * @param phase - Where it happened.
   * @param detail - `smtpCode`: the reply code, where there was a reply; `reason`: a bare code such as
   * `ECONNREFUSED`; `isOfServer`: the reply was about the server, not about the recipient.
   */
  constructor(
    readonly phase: MailPhase,
    detail: { smtpCode?: number; enhancedCode?: string; reason?: string; isOfServer?: boolean } = {},
  ) {
    const why = detail.smtpCode === undefined ? (detail.reason ?? 'no answer') : `SMTP ${detail.smtpCode}`;
    // Never the server's text: replies quote the recipient's address.
    super(`mail server: temporary failure at ${phase} (${why})`);
    if (detail.smtpCode !== undefined) this.smtpCode = detail.smtpCode;
    if (detail.enhancedCode !== undefined) this.enhancedCode = detail.enhancedCode;
    this.concernsServer = detail.isOfServer === true || serverPhases.includes(phase);
    this.concernsCertificate = isCertificateReason(detail.reason);
  }
}
