/** The headers that mark a mail as written by a machine. Pure. */
import type { MailLocale } from './locale.js';
import type { MailKind } from './templates.js';

/**
 * Headers for every mail of the ladder: no vacation responder answers it (RFC 3834, section 5; the `X-` header is
 * Exchange's way), and an operator can filter by kind.
 */
export function mailHeaders(kind: MailKind, locale: MailLocale): Record<string, string> {
  return {
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'X-Dormouse-Kind': kind,
    'Content-Language': locale,
  };
}
