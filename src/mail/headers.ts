/** The headers that mark a mail as machine-generated. Pure. */
import type { RenderedMail } from './render.js';
import type { MailKind } from './templates.js';

/**
 * Headers for every mail of the ladder: they keep vacation responders from answering (RFC 3834, section 5;
 * the `X-` header is for Exchange), and let an operator filter by kind.
 */
export function mailHeaders(
  kind: MailKind | 'month-report',
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

/** RFC 2369. For an https address also one click by RFC 8058, which requires https. */
function unsubscribeHeaders(url: string): Record<string, string> {
  const header = { 'List-Unsubscribe': `<${url}>` };
  return url.startsWith('https:')
    ? { ...header, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
    : header;
}
