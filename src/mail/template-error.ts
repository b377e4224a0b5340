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
