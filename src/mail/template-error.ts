/**
 * A mail could not be rendered because a fact is missing or makes no sense. This is a developer's
 * mistake, so retrying does not help.
 */
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
