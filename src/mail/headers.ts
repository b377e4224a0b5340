/** The headers that mark a mail as written by a machine. Pure. */
import type { RenderedMail } from './render.js';
import type { MailKind } from './templates.js';

/**
 * Headers for every mail of the ladder: no vacation responder answers it (RFC 3834, section 5; the `X-` header is
 * Exchange's way), and an operator can filter by kind.
 */
export function mailHeaders(
  kind: MailKind,
  { locale, unsubscribeUrl }: Pick<RenderedMail, 'locale' | 'unsubscribeUrl'>,
): Record<string, string> {
  return {
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'X-Dormouse-Kind': kind,
    'Content-Language': locale,
    ...(unsubscribeUrl === undefined ? {} : unsubscribeHeaders(unsubscribeUrl)),
  };
}

/** RFC 2369 and, where the address is https as it must be for that, one click by RFC 8058. */
function unsubscribeHeaders(url: string): Record<string, string> {
  const header = { 'List-Unsubscribe': `<${url}>` };
  return url.startsWith('https:')
    ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
    : header;
}
