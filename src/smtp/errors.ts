/** What can go wrong with a mail server, typed by who must act. Imports nothing; no message here ever holds an address or a credential. */

/** The mail configuration is unusable: the operator has to mend it. */
export class MailConfigError extends Error {
  override readonly name = 'MailConfigError';
}

/** The step of the SMTP conversation in which a send came to its end. */
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

/** Steps before there is a recipient: what fails here fails for every mail. */
const serverPhases: readonly MailPhase[] = ['closed', 'connect', 'greeting', 'tls', 'auth'];

/** OpenSSL's and Node's codes for a certificate that is not believed. */
const certificateReasons = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/u;

/** @param reason - A bare code, as `CERT_HAS_EXPIRED`. */
export function isCertificateReason(reason: string | undefined): boolean {
  return certificateReasons.test(reason ?? '');
}

/** The world's trouble: the mail was certainly not taken over by the server; the same mail may be sent again later. */
export class TemporaryMailError extends Error {
  override readonly name = 'TemporaryMailError';
  /** The server's reply code, where there was a reply. */
  readonly smtpCode?: number;
  readonly enhancedCode?: string;
  /** Whether it is about the server, and so the same for every recipient. */
  readonly concernsServer: boolean;
  /** Whether the server's certificate was not believed. */
  readonly concernsCertificate: boolean;

  /**
   * @param phase - Where it happened.
   * @param detail - `smtpCode`: the reply, where there was one; `reason`: a bare code such as `ECONNREFUSED`; `isOfServer`: the
   *   server spoke of itself, not of the recipient.
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
