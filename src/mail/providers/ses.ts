/**
 * Events of Amazon SES, as its configuration sets and its feedback notifications publish
 * them, through SNS or raw. Pure.
 * Source: "Contents of event data that Amazon SES publishes", "Amazon SNS notification
 * contents" (SES developer guide).
 */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, findStatusCode } from '../bounce.js';
import { lenient } from './lenient.js';
import { tagName } from './provider.js';

const recipient = z.looseObject({
  action: lenient(z.string()),
  status: lenient(z.string()),
});
const timed = lenient(z.looseObject({ timestamp: lenient(z.string()) }));
const header = z.looseObject({ name: z.string(), value: z.string() });
const event = z.looseObject({
  notificationType: lenient(z.string()),
  eventType: lenient(z.string()),
  mail: lenient(
    z.looseObject({
      messageId: lenient(z.string()),
      tags: lenient(z.record(z.string(), z.array(z.string()))),
      headers: lenient(z.array(header.catch({ name: '', value: '' }))),
      commonHeaders: lenient(z.looseObject({ messageId: lenient(z.string()) })),
    }),
  ),
  bounce: z
    .looseObject({
      bounceType: z.string(),
      timestamp: lenient(z.string()),
      bouncedRecipients: z.array(recipient.catch({})).catch([]),
    })
    .optional(),
  complaint: timed,
  deliveryDelay: timed,
});
type SesEvent = z.infer<typeof event>;

/**
 * @param body the event itself, without its SNS envelope.
 * @returns empty for events other than bounces.
 * @throws ZodError
 */
export function readSesEvent(body: unknown): Bounce[] {
  const said = event.parse(body);
  const { mail, bounce, complaint, deliveryDelay } = said;
  const verdict = verdictOf(said);
  if (verdict === undefined) return [];
  const messageIdHeader = mail?.headers?.find(({ name }) => name.toLowerCase() === 'message-id')?.value;
  const messageId =
    messageIdOfName(mail?.tags?.[tagName]?.[0]) ??
    findMessageId(`${mail?.commonHeaders?.messageId ?? ''} ${messageIdHeader ?? ''}`);
  const queueId = asQueueId(mail?.messageId);
  const at = Date.parse((bounce ?? complaint ?? deliveryDelay)?.timestamp ?? '');
  return [
    {
      ...verdict,
      ...(messageId !== undefined && { messageId }),
      ...(queueId !== undefined && { queueIds: [queueId] }),
      ...(Number.isFinite(at) && { at }),
    },
  ];
}

/**
 * SES calls an answer of a vacation responder a transient bounce. A bounce is hard where it is permanent, or
 * where the receiving server reported a failure.
 */
function verdictOf({
  notificationType,
  eventType,
  bounce,
}: SesEvent): Pick<Bounce, 'kind' | 'code'> | undefined {
  switch ((notificationType ?? eventType)?.toLowerCase()) {
    case 'bounce': {
      const recipients = bounce?.bouncedRecipients ?? [];
      const failed = recipients.find(({ action }) => action?.toLowerCase() === 'failed');
      const isHard = bounce?.bounceType.toLowerCase() === 'permanent' || failed !== undefined;
      const code = findStatusCode((failed ?? recipients[0])?.status ?? '');
      return { kind: isHard ? 'hard' : 'soft', ...(code !== undefined && { code }) };
    }
    case 'complaint':
      return { kind: 'complaint' };
    case 'reject':
    case 'rendering failure':
      return { kind: 'hard' };
    case 'deliverydelay':
      return { kind: 'soft' };
    default:
      return undefined;
  }
}
