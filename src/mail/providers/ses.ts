/**
 * Events of Amazon SES, as its configuration sets and its feedback notifications publish
 * them, through SNS or raw. Pure.
 * Source: "Contents of event data that Amazon SES publishes", "Amazon SNS notification
 * contents" (SES developer guide).
 */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, findStatusCode } from '../bounce.js';
import { tagName } from './provider.js';

const recipient = z.looseObject({
  action: z.string().optional(),
  status: z.string().optional(),
});
const event = z.looseObject({
  notificationType: z.string().optional(),
  eventType: z.string().optional(),
  mail: z
    .looseObject({
      messageId: z.string().optional(),
      tags: z.record(z.string(), z.array(z.string())).optional(),
      headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
      commonHeaders: z.looseObject({ messageId: z.string().optional() }).optional(),
    })
    .optional(),
  bounce: z
    .looseObject({
      bounceType: z.string(),
      timestamp: z.string().optional(),
      bouncedRecipients: z.array(recipient).default([]),
    })
    .optional(),
  complaint: z.looseObject({ timestamp: z.string().optional() }).optional(),
  deliveryDelay: z.looseObject({ timestamp: z.string().optional() }).optional(),
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
  const header = mail?.headers?.find(({ name }) => name.toLowerCase() === 'message-id')?.value;
  const messageId =
    messageIdOfName(mail?.tags?.[tagName]?.[0]) ??
    findMessageId(`${mail?.commonHeaders?.messageId ?? ''} ${header ?? ''}`);
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
      const [first] = bounce?.bouncedRecipients ?? [];
      const hasFailed = first?.action?.toLowerCase() === 'failed';
      const isHard = bounce?.bounceType.toLowerCase() === 'permanent' || hasFailed;
      const code = findStatusCode(first?.status ?? '');
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
