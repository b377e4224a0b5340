/** Reports of mail servers that are no delivery status notifications. Pure. */
import type { Email } from 'postal-mime';
import { given } from '../domain/given.js';
import { type Bounce, findStatusCode } from './bounce.js';

/** A report as text: what the server says, and the copy of the mail that it is about. */
export interface TextReport extends Pick<Bounce, 'kind' | 'code'> {
  readonly copy: string;
}

/**
 * Reads the two forms in which servers say as plain text that a mail failed: qmail's (qmail-send Bounce Message
 * Format: it begins with fixed words, and a paragraph that begins with a hyphen ends what it says), and Exim's, which
 * names the recipients in a header of its own. An answer of a person or of a vacation responder is neither.
 */
export function readTextReport({ headers, text = '' }: Email): TextReport | undefined {
  const isExims = headers.some(({ key }) => key === 'x-failed-recipients');
  if (!isExims && !/^\s*Hi\. This is the /u.test(text)) return undefined;
  const end = text.search(/^-/mu);
  if (end === -1 && !isExims) return undefined;
  const said = end === -1 ? text : text.slice(0, end);
  const code = findStatusCode(said);
  return {
    kind: 'hard',
    ...given({ code }),
    copy: end === -1 ? '' : text.slice(end).replace(/^-.*\s*/u, ''),
  };
}

/** Whether a feedback report (RFC 5965) says that the recipient calls the mail unwanted. */
export function isComplaint(feedback: string): boolean {
  return /^feedback-type:[ \t]*abuse[ \t]*\r?$/imu.test(feedback);
}
