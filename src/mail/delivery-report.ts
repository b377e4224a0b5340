/**
 * Reads a delivery status notification: a `multipart/report` as mail servers send it back (RFC 3462, RFC 3464). The MIME
 * structure is postal-mime's work; nothing of the text for people is looked at.
 */
import PostalMime, { type Attachment } from 'postal-mime';
import { type Bounce, type BounceKind, findMessageId, findStatusCode } from './bounce.js';

/** Depth and headers that no mail server's report comes near; beyond them the message is refused. */
const limits = { maxNestingDepth: 20, maxHeadersSize: 262_144 };

/**
 * @returns the bounce; `undefined` for anything that is not a report of a failure or delay of one of our mails
 */
export async function readDeliveryReport(message: Uint8Array): Promise<Bounce | undefined> {
  const mail = await PostalMime.parse(message, {
    ...limits,
    forceRfc822Attachments: true,
    attachmentEncoding: 'arraybuffer',
  }).catch(() => undefined);
  if (mail === undefined) return undefined;
  const status = mail.attachments.find(({ mimeType }) =>
    /^message\/(global-)?delivery-status$/u.test(mimeType),
  );
  if (status === undefined) return undefined;
  const verdict = verdictOf(textOf(status));
  const returned = mail.attachments.find(({ mimeType }) => returnedTypes.has(mimeType));
  const messageId =
    (returned === undefined ? undefined : findMessageId(headerOf(textOf(returned), 'message-id') ?? '')) ??
    findMessageId(`${mail.inReplyTo ?? ''} ${mail.references ?? ''}`);
  return verdict === undefined || messageId === undefined ? undefined : { messageId, ...verdict };
}

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
 * The worst of the recipients' fields; ours have one recipient each. `failed` is hard whatever the status says: a mail
 * that waited too long in a queue (4.4.7) did not arrive either.
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
    return [{ kind, ...(code === undefined ? {} : { code }) } as const];
  });
  return verdicts.find(({ kind }) => kind === 'hard') ?? verdicts[0];
}

/** A header's value, unfolded (RFC 5322, 2.2.3). Reads no further than the first empty line. */
function headerOf(text: string, name: string): string | undefined {
  const [head = ''] = text.replace(/^(?:[ \t]*\r?\n)+/u, '').split(/\r?\n\r?\n/u, 1);
  const unfolded = head.replace(/\r?\n[ \t]+/gu, ' ');
  const prefix = `${name}:`;
  const line = unfolded.split(/\r?\n/u).find((candidate) => candidate.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}
