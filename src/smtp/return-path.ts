/**
 * A return path that names the mail (VERP): the recipient of a bounce to `bounces+<name>@…` identifies the
 * mail, whatever relays did to the message. Pure.
 */

import { MailConfigError } from './errors.js';
import { messageIdOfName, nameOfMail } from './mail-name.js';

/** Octets of a local part (RFC 5321, 4.5.3.1.1), less a name and its plus sign. */
const longestLocalPart = 64 - 41;

/** @throws MailConfigError where the address leaves no room for the name of a mail */
export function checkReturnPath(returnPath: string): string {
  const local = returnPath.slice(0, returnPath.lastIndexOf('@'));
  if (!/^[a-z0-9._-]+@[a-z0-9.-]+$/iu.test(returnPath) || local.length > longestLocalPart) {
    throw new MailConfigError(
      `the return path of mail must be one address, as bounces@acorn.example, with at most ${longestLocalPart} characters before the @`,
    );
  }
  return returnPath;
}

/** @returns the envelope sender of one mail */
export function returnPathFor(returnPath: string, messageId: string): string {
  const at = returnPath.lastIndexOf('@');
  const name = nameOfMail(messageId);
  return name === undefined ? returnPath : `${returnPath.slice(0, at)}+${name}${returnPath.slice(at)}`;
}

/** @returns the Message-ID of the mail whose return path stands in a text */
export function readReturnPath(text: string): string | undefined {
  return messageIdOfName(/\+([0-9a-f]{40})@/u.exec(text)?.[1]);
}
