/** What can go wrong with mail, typed by who must act. Imports nothing; no message here ever holds an address or a credential. */

/** A mail could not be rendered because a fact is missing or makes no sense. A developer's mistake: trying again is of no use. */
export class MailTemplateError extends Error {
  override readonly name = 'MailTemplateError';

  /**
   * @param kind - The kind of mail that was to be rendered.
   * @param field - The fact at fault, as a path into `MailFacts`, e.g. `upcoming.at`.
   */
  constructor(
    readonly kind: string,
    readonly field: string,
    problem: string,
  ) {
    super(`mail "${kind}": ${field} ${problem}`);
  }
}

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

/** The world's trouble: the mail was certainly not taken over by the server; the same mail may be sent again later. */
export class TemporaryMailError extends Error {
  override readonly name = 'TemporaryMailError';
  /** The server's reply code, where there was a reply. */
  readonly smtpCode?: number;

  /**
   * @param phase - Where it happened.
   * @param detail - `smtpCode`: the reply, where there was one; `reason`: a bare code such as `ECONNREFUSED`.
   */
  constructor(
    readonly phase: MailPhase,
    detail: { smtpCode?: number; reason?: string } = {},
  ) {
    const why = detail.smtpCode === undefined ? (detail.reason ?? 'no answer') : `SMTP ${detail.smtpCode}`;
    // Never the server's text: replies quote the recipient's address.
    super(`mail server: temporary failure at ${phase} (${why})`);
    if (detail.smtpCode !== undefined) this.smtpCode = detail.smtpCode;
  }
}
