/** Chooses the language of a page from `Accept-Language` (RFC 9110 §12.5.4). Pure. */
import { type ResolvedLocale, resolveLocale } from '../mail/locale.js';

/** More preferences than any browser sends. */
const mostPreferences = 20;

/** @returns the first language in the order of preference that the pages have; English where there is none */
export function localeOf(header: string | undefined): ResolvedLocale {
  const preferences = (header ?? '')
    .split(',', mostPreferences)
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { tag, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const known = preferences.find(({ tag }) => /^(en|de)(-|$)/i.test(tag));
  return resolveLocale(known?.tag);
}
