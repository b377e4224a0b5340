/**
 * Events of SendGrid's Event Webhook, several at once. Pure. Source: "Event Webhook
 * Reference" (SendGrid documentation).
 */
import { z } from 'zod';
import { findMessageId, messageIdOfName } from '../../smtp/mail-name.js';
import { asQueueId, type Bounce, findStatusCode } from '../bounce.js';
import { lenient, lenientSeconds } from './lenient.js';
import { tagName } from './provider.js';

const event = z.looseObject({
  event: z.string(),
  timestamp: lenientSeconds,
  status: lenient(z.string()),
  reason: lenient(z.string()),
  sg_message_id: lenient(z.string()),
  'smtp-id': lenient(z.string()),
  [tagName]: z.unknown().optional(),
});
const events = z.array(z.unknown()).max(10_000);

/** `dropped` was never sent. `blocked` is an immediate bounce that did not arrive either. */
const kinds: Readonly<Record<string, Bounce['kind']>> = {
  bounce: 'hard',
  blocked: 'hard',
  dropped: 'hard',
  deferred: 'soft',
  spamreport: 'complaint',
};

/**
 * One event that cannot be read does not keep the others of its batch from being noted.
 * @returns empty for events other than bounces. @throws ZodError where no event can be read
 */
export function readSendgridEvents(body: unknown): Bounce[] {
  const sent = events.parse(body);
  const read = sent.flatMap((one) => event.safeParse(one).data ?? []);
  const [first] = sent;
  if (first !== undefined && read.length === 0) z.array(event).parse(sent);
  return read.flatMap((said): Bounce[] => {
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
        ...(said.timestamp !== undefined && { at: said.timestamp }),
      },
    ];
  });
}
