/**
 * Events of SendGrid's Event Webhook, several at once. Pure. Source: "Event Webhook
 * Reference" (SendGrid documentation).
 */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, findStatusCode } from '../bounce.js';
import { tagName } from './provider.js';

const event = z.looseObject({
  event: z.string(),
  timestamp: z.number().optional(),
  status: z.string().nullish(),
  reason: z.string().nullish(),
  sg_message_id: z.string().nullish(),
  'smtp-id': z.string().nullish(),
  [tagName]: z.unknown().optional(),
});
const events = z.array(event).max(10_000);

/** `dropped` was never sent. `blocked` is an immediate bounce that did not arrive either. */
const kinds: Readonly<Record<string, Bounce['kind']>> = {
  bounce: 'hard',
  blocked: 'hard',
  dropped: 'hard',
  deferred: 'soft',
  spamreport: 'complaint',
};

/** @returns empty for events other than bounces. @throws ZodError */
export function readSendgridEvents(body: unknown): Bounce[] {
  return events.parse(body).flatMap((said): Bounce[] => {
    const kind = Object.hasOwn(kinds, said.event) ? kinds[said.event] : undefined;
    if (kind === undefined) return [];
    const messageId = messageIdOfName(said[tagName]) ?? findMessageId(said['smtp-id'] ?? '');
    const queueId = asQueueId(said.sg_message_id?.split('.')[0]);
    const code = findStatusCode(said.status ?? '') ?? findStatusCode(said.reason ?? '');
    return [
      {
        kind,
        ...(messageId !== undefined && { messageId }),
        ...(queueId !== undefined && { queueIds: [queueId] }),
        ...(code !== undefined && { code }),
        ...(said.timestamp !== undefined && { at: said.timestamp * 1_000 }),
      },
    ];
  });
}
