/**
 * Reads a delivery status notification: a `multipart/report` as mail servers return it (RFC 3462, RFC 3464). Its text for
 * people is ignored. Also reads complaints (RFC 5965) and the reports of servers that write plain text. postal-mime
 * parses the MIME structure.
 */

import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { given } from '../domain/given.js';
import { findMessageId, messageIdOfName } from '../smtp/mail-name.js';
import { readReturnPath } from '../smtp/return-path.js';
import { asQueueId, type Bounce, type BounceKind, type BounceReference, findStatusCode } from './bounce.js';
import { isComplaint, readTextReport } from './other-reports.js';

/** Depth and headers far above any mail server's report. A message beyond them is refused. */
const limits = { maxNestingDepth: 20, maxHeadersSize: 262_144 };

/**
 * @returns the bounce, with every name that the report has for the mail; `undefined` for anything that is not
 * a report of a failure, a delay or a complaint
 */
export async function readDeliveryReport(message: Uint8Array): Promise<Bounce | undefined> {
  const mail = await PostalMime.parse(message, {
    ...limits,
    forceRfc822Attachments: true,
    attachmentEncoding: 'arraybuffer',
  }).catch(() => undefined);
  if (mail === undefined) return undefined;
  const part = (isWanted: (mimeType: string) => boolean) => {
    const found = mail.attachments.find(({ mimeType }) => isWanted(mimeType));
    return found && textOf(found);
  };
  const returned = part((mimeType) => returnedTypes.has(mimeType)) ?? '';
  const status = part((mimeType) => /^message\/(global-)?delivery-status$/u.test(mimeType));
  if (status !== undefined) {
    const verdict = verdictOf(status);
    return verdict && { ...verdict, ...referenceOf(mail, status, returned) };
  }
  const feedback = part((mimeType) => mimeType === 'message/feedback-report');
  if (feedback !== undefined) {
    return isComplaint(feedback)
      ? { kind: 'complaint', ...referenceOf(mail, feedback, returned) }
      : undefined;
  }
  const report = readTextReport(mail);
  if (report === undefined) return undefined;
  const { copy, ...verdict } = report;
  return { ...verdict, ...referenceOf(mail, '', copy) };
}

/**
 * Our own name of the mail from every place where it can stand, and the names
 * that servers on its way gave it.
 */
function referenceOf(mail: Email, status: string, returned: string): BounceReference {
  const original = headerOf(returned, 'message-id') ?? '';
  const recipients = mail.headers.filter(({ key }) => recipientHeaders.has(key)).map(({ value }) => value);
  const messageId =
    findMessageId(original) ??
    findMessageId(`${mail.inReplyTo ?? ''} ${mail.references ?? ''}`) ??
    messageIdOfName(headerOf(status, 'original-envelope-id')) ??
    readReturnPath(recipients.join(' '));
  if (messageId !== undefined) return { messageId };
  const candidates = [
    /^<([^@<>]+)@[^@<>]+>$/u.exec(original)?.[1],
    headerOf(status, 'x-postfix-queue-id'),
    ...[...headOf(returned).matchAll(/^received:[^\n]*?\sid\s+([A-Za-z0-9-]+)/gimu)].map(([, id]) => id),
  ];
  const queueIds = [...new Set(candidates.flatMap((one) => asQueueId(one) ?? []))].slice(0, mostQueueIds);
  return queueIds.length === 0 ? {} : { queueIds };
}

/** The headers of a received report that may hold a return path of ours. */
const recipientHeaders: ReadonlySet<string> = new Set(['to', 'delivered-to', 'x-original-to', 'envelope-to']);
/** One for each relay on the way. A text with more is not a genuine report. */
const mostQueueIds = 20;

const returnedTypes: ReadonlySet<string> = new Set([
  'message/rfc822',
  'message/global',
  'message/rfc822-headers',
  'message/global-headers',
  'text/rfc822-headers',
]);

function textOf({ content }: Attachment): string {
  return typeof content === 'string' ? content : new TextDecoder('latin1').decode(content);
}

/**
 * The worst of the recipients' fields; our mails have one recipient each. `failed` is hard whatever the
 * status is: a mail that waited too long in a queue (4.4.7) did not arrive either.
 */
function verdictOf(text: string): { kind: BounceKind; code?: string } | undefined {
  const verdicts = text.split(/\r?\n[ \t]*\r?\n/u).flatMap((block) => {
    const action = headerOf(block, 'action')
      ?.trim()
      .toLowerCase()
      .split(/[\s(;]/u)[0];
    const kind = action === 'failed' ? 'hard' : action === 'delayed' ? 'soft' : undefined;
    if (kind === undefined) return [];
    const code = findStatusCode(headerOf(block, 'status') ?? '');
    return [{ kind, ...given({ code }) } as const];
  });
  return verdicts.find(({ kind }) => kind === 'hard') ?? verdicts[0];
}

/** A header's value, unfolded (RFC 5322, 2.2.3). Reads no further than the first empty line. */
function headerOf(text: string, name: string): string | undefined {
  const prefix = `${name}:`;
  const line = headOf(text)
    .split(/\r?\n/u)
    .find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}

function headOf(text: string): string {
  const [head = ''] = text.replace(/^(?:[ \t]*\r?\n)+/u, '').split(/\r?\n\r?\n/u, 1);
  return head.replace(/\r?\n[ \t]+/gu, ' ');
}
