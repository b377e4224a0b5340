/** The language and regional format of a mail. Imports nothing. */

export type MailLocale = 'en' | 'de';

export interface ResolvedLocale {
  /** The language of the templates. */
  language: MailLocale;
  /** The tag handed to Intl for dates and numbers: language and region only, e.g. `de-AT`. */
  formatTag: string;
}

/**
 * Resolves a BCP 47 tag from an identity. Unknown, malformed or absent tags fall back to
 * English. Script, variants and `-u-` extensions are dropped: they must not switch a deadline to
 * another calendar or other digits.
 */
export function resolveLocale(tag: string | undefined): ResolvedLocale {
  const locale = parseTag(tag);
  const language = locale?.language;
  if (locale === undefined || (language !== 'en' && language !== 'de')) {
    return { language: 'en', formatTag: 'en' };
  }
  return { language, formatTag: locale.region === undefined ? language : `${language}-${locale.region}` };
}

function parseTag(tag: string | undefined): Intl.Locale | undefined {
  if (tag === undefined) return undefined;
  try {
    // Kratos traits often hold POSIX-style tags such as de_AT.
    return new Intl.Locale(tag.trim().replaceAll('_', '-'));
  } catch {
    return undefined;
  }
}
